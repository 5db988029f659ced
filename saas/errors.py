"""The pages for requests that went wrong."""

from __future__ import annotations

import logging
import sys

from allauth.account.utils import passthrough_next_redirect_url
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from psycopg.errors import InvalidSchemaName, UndefinedTable

from plugin_framework.tenancy import tenant_or_none
from tenants.wholeness import missing_tables

log = logging.getLogger(__name__)
CODE_PAGE = "account_email_verification_sent"  # where the code is typed that was mailed to a new address


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400; or 413, where it was more than is read."""
    if isinstance(exception, (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)):
        return render(request, "errors/413.html", status=413)
    return render(request, "errors/400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: signed in, but not allowed."""
    return render(request, "errors/403.html", status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form that did not come from our own page, or one left open so long that its token is gone."""
    return render(request, "errors/403.html", {"csrf": True}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404, the same for what does not exist and what one may not see."""
    return render(request, "errors/404.html", status=404)


def too_many(request: HttpRequest) -> HttpResponse:
    """429, where allauth limits how often something may be asked for; on the page of a code to whoever wants another too soon."""
    match = request.resolver_match
    if match and match.url_name == CODE_PAGE and request.POST.get("action") == "resend":
        messages.warning(request, _("A code was sent a moment ago; wait a few seconds and look into your mail."))
        return redirect(passthrough_next_redirect_url(request, reverse(CODE_PAGE), REDIRECT_FIELD_NAME))
    return render(request, "errors/429.html", status=429)


def server_error(request: HttpRequest) -> HttpResponse:
    """500; or 503 where the organisation's tables are not there, which nobody can help by trying again at once.

    Without a context: whatever went wrong might go wrong again in a context processor.
    """
    if _tables_are_missing(sys.exc_info()[1]):
        return HttpResponse(render_to_string("errors/503_incomplete.html"), status=503, headers={"Retry-After": "60"})
    return HttpResponse(render_to_string("errors/500.html"), status=500)


def _tables_are_missing(error: BaseException | None) -> bool:
    """Whether `error` says that a table was not found, and the tenant's schema really lacks some; they are logged by name."""
    tenant = tenant_or_none()
    if tenant is None or not _says_undefined(error):
        return False
    try:
        missing = missing_tables()
    except DatabaseError:
        log.exception("It could not be found out whether the tables of %s are there", tenant.slug)
        return False
    if missing:
        log.error("%s cannot be served: its schema %s lacks %s", tenant.slug, tenant.schema, ", ".join(missing))
    return bool(missing)


def _says_undefined(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, (UndefinedTable, InvalidSchemaName)):
            return True
        error = error.__cause__ or error.__context__
    return False
