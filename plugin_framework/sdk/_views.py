"""A view that tells the tenant's plugins what it is about to do, what came of it, and what went wrong."""

from __future__ import annotations

import logging
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views import View

from plugin_framework.sdk._runtime import runtime

log = logging.getLogger(__name__)


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
