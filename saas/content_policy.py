"""Sends the content security policy with every answer, whatever a page says for itself."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware import csp
from django.utils.csp import CSP, build_policy

HEADER = str(CSP.HEADER_ENFORCE)


class ContentPolicyMiddleware(csp.ContentSecurityPolicyMiddleware):
    """Django's, with one rule more: a view (a plugin's, say) can add a stricter policy of its own, and not loosen ours.

    Browsers apply each of several policies that stand in one header, so that what any of them forbids is forbidden.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """The answer, with its own policy, if it has one, before ours."""
        response = super().process_response(request, response)
        own, ours = response.headers.get(HEADER, ""), build_policy(settings.SECURE_CSP)
        if own != ours:
            response.headers[HEADER] = f"{own}, {ours}" if own else ours
        return response
