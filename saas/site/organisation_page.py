"""The organisation itself: its name and time zone for its admins, and for its owners what they can do to it as a whole.

Template: `settings/organisation.html` (`form`: an OrganisationForm; `days`: how long a deleted one can be brought back; `error`: why
it was not deleted).
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from plugin_framework import zones
from plugin_framework.tenancy import current_tenant
from saas.site.access import actor_of, admins_only, owners_only
from tenants import deletion, operations, profile
from tenants.accounts.forms import one_plain_line


class OrganisationForm(forms.Form):
    """What an organisation says of itself."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        validators=[one_plain_line],
        help_text=gettext_lazy("People read it above every page, and as the sender of mails."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    timezone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy(
            "Dates and times on these pages are in it, and what is typed is read in it. Jobs of plugins stay in UTC."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["timezone"].choices = _zones()  # type: ignore[attr-defined]  # it is a ChoiceField


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def index(request: HttpRequest) -> HttpResponse:
    """What the organisation is called and in which time zone it lives; and where it is, and how it is deleted."""
    if request.method != "POST":
        return _page(request)
    form = OrganisationForm(request.POST)
    if not form.is_valid():
        return _page(request, form=form, status=400)
    try:
        changed = profile.change(profile.Profile(**form.cleaned_data), actor_of(request))
    except operations.NotPossible as error:
        form.add_error(None, str(error))
        return _page(request, form=form, status=400)
    messages.success(request, _("Saved.") if changed else _("Nothing was changed."))
    return redirect("settings:organisation")


@require_POST
@owners_only
def delete(request: HttpRequest) -> HttpResponse:
    """Delete the organisation, after its short name was typed; the next page, as every other, says that it is gone."""
    try:
        deletion.delete(
            current_tenant().slug, actor_of(request), confirmation=request.POST.get("confirmation", "")[:100]
        )
    except operations.NotPossible as error:
        return _page(request, error=str(error), status=409)
    return redirect("tenant:dashboard")


def _page(
    request: HttpRequest, *, form: OrganisationForm | None = None, error: str = "", status: int = 200
) -> HttpResponse:
    tenant = current_tenant()
    context = {
        "form": form or OrganisationForm(initial={"name": tenant.name, "timezone": tenant.timezone}),
        "error": error,
        "days": settings.TENANT_DELETE_DAYS,
    }
    return render(request, "settings/organisation.html", context, status=status)


def _zones() -> list[Any]:
    """The zones under the part of the world they are in."""
    grouped: dict[str, list[tuple[str, str]]] = {}
    for name in zones.names()[1:]:
        part, _slash, place = name.partition("/")
        grouped.setdefault(part, []).append((name, place.replace("_", " ").replace("/", ", ")))
    return [(zones.DEFAULT, zones.DEFAULT), *grouped.items()]
