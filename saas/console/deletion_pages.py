"""What the console does to an organisation as a whole: deleting it, bringing it back, exporting it."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from saas.console.forms import SuspendForm
from saas.console.tenant_pages import show, tenant_called
from saas.site.access import actor_of, admins_only
from saas.site.confirming import password_again
from tenants import archive, deletion, operations
from tenants.models import State


@require_POST
@admins_only
def delete(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Delete an organisation softly, after its short name was typed."""
    tenant = tenant_called(slug)
    try:
        deletion.check_typed(slug, tenant.name, _typed(request))
    except operations.NotPossible as error:
        return show(request, tenant, SuspendForm(), str(error))
    return _delete(request, slug)


@password_again(gettext_lazy("Delete the organisation"), danger=True)
def _delete(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = tenant_called(slug)
    try:
        purge_at = deletion.delete(slug, actor_of(request), confirmation=_typed(request))
    except operations.NotPossible as error:
        return show(request, tenant, SuspendForm(), str(error))
    done = _("%(name)s is deleted. You can bring it back until %(until)s.")
    until = date_format(timezone.localtime(purge_at), "DATETIME_FORMAT")
    messages.success(request, done % {"name": tenant.name, "until": until})
    return redirect("platform:tenant", slug)


def _typed(request: HttpRequest) -> str:
    return request.POST.get("confirmation", "")[:100]


@require_POST
@admins_only
def undelete(request: HttpRequest, slug: str) -> HttpResponse:
    """Bring a deleted organisation back."""
    tenant = tenant_called(slug)
    try:
        state = deletion.undelete(slug, actor_of(request))
    except operations.NotPossible as error:
        messages.error(request, str(error))
    else:
        active, suspended = _("%(name)s is served again."), _("%(name)s is back, and suspended as before.")
        messages.success(request, (active if state == State.ACTIVE else suspended) % {"name": tenant.name})
    return redirect("platform:tenant", slug)


@require_POST
@admins_only
@password_again(gettext_lazy("Export to a file"), download=True)
def export(request: HttpRequest, slug: str) -> HttpResponseBase:
    """All of an organisation in one file; written whole, to a file without a name, before the first byte of it is sent."""
    tenant_called(slug)
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile())
        try:
            archive.write(slug, file, actor_of(request))
        except operations.NotPossible as error:
            messages.error(request, str(error))
            return redirect("platform:tenant", slug)
        stack.pop_all()  # from here on the response closes it
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{slug}-{datetime.now(UTC):%Y-%m-%d}.zip")
