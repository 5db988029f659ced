"""One page: read the book, leave a line."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from acme_guestbook.models import Entry
from plugin_framework.sdk import PluginAwareView, call_hook, emit, plugin_registry


class Book(PluginAwareView):
    """The lines of this organisation's guests."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show them."""
        entries = list(Entry.objects.order_by("pk"))
        context = {
            "greeting": plugin_registry.enabled_plugins["guestbook"].greeting,
            "entries": entries,
            "said": call_hook("guestbook_opened", len(entries)),
        }
        return render(request, "acme_guestbook/book.html", context)

    @transaction.atomic
    def post(self, request: HttpRequest) -> HttpResponse:
        """Leave one."""
        text = request.POST.get("text", "").strip()[:200]
        if text:
            emit("guestbook_signed", Entry.objects.create(text=text, guest=request.user))
        return redirect("apps:guestbook:book")
