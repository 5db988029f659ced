"""The organisation itself: name, time zone, logo and hosts for its admins, and for its owners what they can do to it as a whole.

Template: `settings/organisation.html` (`form`: an OrganisationForm; `logo_form`: a LogoForm; `hosts`: Domain rows; `plan`: its name, or
""; `usages`: UsageInfo; `days`: how long a deleted one can be brought back; `error`: why it was not deleted).
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from plugin_framework import zones
from plugin_framework.catalog.plans import plan_of
from plugin_framework.quotas import QuotaExceeded
from plugin_framework.tenancy import current_tenant
from saas.site import quota_info
from saas.site.access import actor_of, admins_only, owners_only
from saas.site.confirming import password_again
from tenants import archive, deletion, domains, logo, operations, profile
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
        widget=forms.Select(attrs={"translate": "no"}),  # names of places, as the database of time zones has them
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["timezone"].choices = _zones()  # type: ignore[attr-defined]  # it is a ChoiceField


class LogoForm(forms.Form):
    """A picture to be shown above every page."""

    logo = forms.FileField(
        label=gettext_lazy("Picture"),
        help_text=gettext_lazy("PNG, JPEG or WebP, up to 256 KB; a square one looks best."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )

    def content(self) -> bytes:
        """What was sent, no more of it than tells that it is too much."""
        return bytes(self.cleaned_data["logo"].read(logo.MOST_BYTES + 1))


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
@admins_only
def change_logo(request: HttpRequest) -> HttpResponse:
    """Take a new logo."""
    form = LogoForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, logo_form=form, status=400)
    try:
        logo.put(form.content(), actor_of(request))
    except (operations.NotPossible, QuotaExceeded) as error:
        form.add_error("logo", str(error))
        return _page(request, logo_form=form, status=400)
    messages.success(request, _("The logo is shown from now on."))
    return redirect("settings:organisation")


@require_POST
@admins_only
def remove_logo(request: HttpRequest) -> HttpResponse:
    """Go without a logo."""
    logo.remove(actor_of(request))
    messages.success(request, _("The logo is removed."))
    return redirect("settings:organisation")


@require_POST
@owners_only
@password_again(gettext_lazy("Download the archive"), download=True)
def export(request: HttpRequest) -> HttpResponseBase:
    """All of the organisation in one file; written whole before the first byte of it is sent."""
    slug = current_tenant().slug
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile())
        try:
            archive.write(slug, file, actor_of(request))
        except operations.NotPossible as error:
            messages.error(request, str(error))
            return redirect("settings:organisation")
        stack.pop_all()  # from here on the response closes it
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{slug}-{timezone.localdate():%Y-%m-%d}.zip")


@require_POST
@owners_only
def delete(request: HttpRequest) -> HttpResponseBase:
    """Delete the organisation, after its short name was typed; the next page, as every other, says that it is gone."""
    tenant = current_tenant()
    try:
        deletion.check_typed(tenant.slug, tenant.name, _typed(request))
    except operations.NotPossible as error:
        return _page(request, error=str(error), status=409)
    return _delete(request)


@password_again(gettext_lazy("Delete the organisation"), danger=True)
def _delete(request: HttpRequest) -> HttpResponse:
    try:
        deletion.delete(current_tenant().slug, actor_of(request), confirmation=_typed(request))
    except operations.NotPossible as error:
        return _page(request, error=str(error), status=409)
    return redirect("tenant:dashboard")


def _typed(request: HttpRequest) -> str:
    return request.POST.get("confirmation", "")[:100]


def _page(
    request: HttpRequest,
    *,
    form: OrganisationForm | None = None,
    logo_form: LogoForm | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    tenant = current_tenant()
    plan = plan_of(tenant.schema)
    context = {
        "form": form or OrganisationForm(initial={"name": tenant.name, "timezone": tenant.timezone}),
        "logo_form": logo_form or LogoForm(),
        "hosts": domains.of(tenant.schema),
        "plan": plan.name if plan else "",
        "usages": quota_info.all_of_them(),
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
