"""One page: read the board, leave a note."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from acme_board.models import Note
from plugin_framework.sdk import PluginAwareView, emit, plugin_registry


class Board(PluginAwareView):
    """The notes of this organisation."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The release, the greeting, and the notes."""
        greeting = plugin_registry.enabled_plugins["board"].greeting
        return HttpResponse("\n".join(["old", greeting, *(note.text for note in Note.objects.order_by("pk"))]))

    @transaction.atomic
    def post(self, request: HttpRequest) -> HttpResponse:
        """Leave one."""
        text = request.POST["text"]
        emit("board_noted", Note.objects.create(text=text))
        return HttpResponse("old", status=201)
