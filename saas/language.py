"""The language of the pages: what the browser asks for, or what somebody has chosen in it. Mails to them follow it."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import LANGUAGE_QUERY_PARAMETER, set_language

from plugin_framework.languages import is_spoken
from plugin_framework.tenancy import tenant_or_none
from tenants.accounts import preferences
from tenants.accounts.models import User


@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Keep the choice in a cookie, which costs no query and works where nobody is signed in, and for the mails of whoever is.

    `next` leads back to where they were.
    """
    language = request.POST.get(LANGUAGE_QUERY_PARAMETER, "")
    if is_spoken(language) and tenant_or_none() is not None and isinstance(request.user, User):
        preferences.speak(request.user, language)
    return set_language(request)
