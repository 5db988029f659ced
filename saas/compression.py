"""Compresses what is text on its way to the browser: pages, style sheets, scripts."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

TEXTS = ("text/", "application/javascript", "application/json", "image/svg+xml")
_KEPT = {"content-disposition", "content-range"}  # a file to be saved, and a piece of one


class CompressionMiddleware(GZipMiddleware):
    """Django's, for text alone: pictures and archives would only cost time, and a file to be saved stays as it is.

    Where `collectstatic` was run, WhiteNoise has compressed files already, and they are left alone like all that says how it is
    encoded. Django adds bytes of random length to each page, so that its size tells nothing about a token on it.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The answer, smaller where that helps."""
        kind = response.headers.get("Content-Type", "")
        if not kind.startswith(TEXTS) or not _KEPT.isdisjoint(map(str.lower, response.headers)):
            return response
        smaller = super().process_response(request, response)
        if smaller.streaming:
            del smaller.headers["ETag"]  # WhiteNoise would not know it again, weak as it is now; it knows its dates
        return smaller
