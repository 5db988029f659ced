"""Shows the organisation's logo, to anybody at its host: it is above the sign-in page too."""

from __future__ import annotations

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe

from plugin_framework.tenancy import current_tenant
from saas.templatetags.tenantry import logo_version
from tenants.logo import FOLDER, KINDS


@require_safe
def show(request: HttpRequest) -> FileResponse:
    """The picture of now. Pages ask for it with its name, so that a browser may keep it for good."""
    name = current_tenant().logo
    kind = KINDS.get(name.rpartition(".")[2])
    if not name.startswith(f"{FOLDER}/") or kind is None:
        raise Http404("There is no logo.")
    try:
        file = default_storage.open(name)
    except (OSError, SuspiciousFileOperation) as error:
        raise Http404("There is no logo.") from error
    response = FileResponse(file, content_type=kind)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"  # opened by itself it is no page of this host
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    named = request.GET.get("v") == logo_version(name)
    response["Cache-Control"] = "public, max-age=31536000, immutable" if named else "no-cache"
    return response
