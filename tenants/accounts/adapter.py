"""What allauth is told about us: nobody signs up through it, links stay on their host, a failed mail breaks no page."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from plugin_framework import languages
from plugin_framework.tenancy import tenant_or_none
from tenants.accounts.mail import sender
from tenants.accounts.models import User, normal

log = logging.getLogger(__name__)


def _language_of(email: str) -> AbstractContextManager[None]:
    """Somebody without an account has the page before their eyes from which the mail comes, so it is in the page's language."""
    user = User.objects.filter(email=normal(email)).first() if tenant_or_none() is not None else None
    return languages.spoken_to(user) if user is not None and user.language else nullcontext()


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """See https://docs.allauth.org/en/latest/account/adapter.html."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by our own page: it asks the plugins and tells them."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """Only this very host: allauth would take any, because ALLOWED_HOSTS leaves the decision to the tenant middleware."""
        request = context.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    def get_client_ip(self, request: HttpRequest) -> str:
        """As allauth's; a request that came past the proxies counts as from where it came, and is no error of ours."""
        try:
            return str(super().get_client_ip(request))
        except ImproperlyConfigured:
            return str(request.META.get("REMOTE_ADDR", ""))

    def get_from_email(self) -> str:
        """The organisation, not the platform: that is whom people know."""
        return sender()

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send one of allauth's mails in the language of whoever reads that address, as far as it is known.

        A mail server that does not answer is logged and said, and can be tried again.
        """
        try:
            with _language_of(email):
                super().send_mail(template_prefix, email, context)
        except OSError:  # smtplib's errors are OSErrors too
            log.exception("The mail %s could not be sent", template_prefix)
            request = context.get("request")
            if request is not None:
                messages.error(request, _("The mail could not be sent just now. Try again in a few minutes."))
