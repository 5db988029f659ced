"""Hands a file of the organisation to its signed-in people, to be saved and never to be shown as a page of ours."""

from __future__ import annotations

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe

from plugin_framework import activation
from saas.site.access import signed_in

# Whatever is in the file, a browser saves it: it is no page, and were it one, it would be no page of this host.
_HEADERS = {
    "Content-Type": "application/octet-stream",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
}


@require_safe
@signed_in
def download(request: HttpRequest, name: str) -> FileResponse:
    """The file `name`, whose first folder says which plugin it belongs to: that one must run here.

    Nothing tells a file that is not there from one that may not be had. A plugin with stricter rules keeps the name to itself and
    hands the file out in a view of its own.
    """
    plugin, _, rest = name.partition("/")
    if not rest or not activation.current().decision(plugin).runs:
        raise Http404("There is no such file.")
    try:
        file = default_storage.open(name)
    except (OSError, SuspiciousFileOperation) as error:
        raise Http404("There is no such file.") from error
    response = FileResponse(file, as_attachment=True, filename=name.rpartition("/")[2])
    for header, value in _HEADERS.items():
        response.headers[header] = value
    return response
