"""One page: read the ledger, book something."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from acme_ledger.models import Entry


def ledger(request: HttpRequest) -> HttpResponse:
    """The release and the entries; posted to, one more."""
    if request.method == "POST":
        Entry.objects.create(text=request.POST["text"], amount=2)
        return HttpResponse("new", status=201)
    return HttpResponse("\n".join(["new", *(entry.text for entry in Entry.objects.order_by("pk"))]))
