"""A view that tells the tenant's plugins what it is about to do, what came of it, and what went wrong."""

from __future__ import annotations

import logging
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.views import View

from plugin_framework.sdk._calling import plugins_code
from plugin_framework.sdk._runtime import runtime
from plugin_framework.sdk._values import is_local_path

log = logging.getLogger(__name__)
LONGEST_WAY_BACK = 1000  # characters; far below what makes Django refuse a redirect, even if each is a quoted umlaut


class PluginAwareView(View):
    """Calls ``view_pre_dispatch``, then the view, then ``view_post_dispatch``, or ``view_error`` if it raised.

    On the public host no tenant is current and no hook is called.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        engine = runtime()
        if engine.on_public_host():
            return super().dispatch(request, *args, **kwargs)
        engine.call_hook("view_pre_dispatch", (self, request, *args), kwargs)
        try:
            with plugins_code():
                response = super().dispatch(request, *args, **kwargs)
        except Exception as error:
            self._tell(request, error, args, kwargs)
            raise
        engine.call_hook("view_post_dispatch", (self, request, response, *args), kwargs)
        return response

    def _tell(self, request: HttpRequest, error: Exception, args: Any, kwargs: Any) -> None:
        """Hand `error` to the plugins; whatever happens there must not hide it from the caller."""
        try:
            runtime().call_hook("view_error", (self, request, error, *args), kwargs)
        except Exception:  # the original error is the one to raise
            log.exception("view_error could not be called")


def banner_dismissed(request: HttpRequest) -> HttpResponse:
    """Answer the POST that a banner's button sent, after it was noted: back to the page it was pressed on.

    To htmx, which takes the banner off the page itself, the answer is empty. A way back that leads off this host, or is none,
    leads to the dashboard instead.
    """
    if request.headers.get("HX-Request") == "true":
        return HttpResponse()
    back = request.POST.get("next", "")
    return HttpResponseRedirect(back if len(back) <= LONGEST_WAY_BACK and is_local_path(back) else "/")
