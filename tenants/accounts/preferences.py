"""What somebody has chosen for their own eyes alone. Nobody else is touched by it, so the audit log does not tell of it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from plugin_framework.tenancy import tenant_or_none
from tenants.accounts.models import Role, User


def hide_steps(user: User, *, hidden: bool) -> None:
    """Show `user` the first steps of a new organisation no more, or again."""
    User.objects.filter(pk=user.pk).update(steps_hidden=hidden)


def speak(user: User, language: str) -> None:
    """Write to `user` in `language` from now on."""
    if language != user.language:
        User.objects.filter(pk=user.pk).update(language=language)
        user.language = language


def speak_as_at_sign_in(sender: object, user: User, request: HttpRequest | None, **kwargs: Any) -> None:
    """Write to somebody in the language of the pages at which they sign in (a receiver of Django's signal)."""
    if request is not None and tenant_or_none() is not None and (language := asked_for(request)):
        speak(user, language)


def asked_for(request: HttpRequest) -> str:
    """The language of the pages that `request` sees, if it asks for any: a program may not, and then nobody has chosen English."""
    asks = "Accept-Language" in request.headers or settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    return get_language() or "" if asks else ""


def organisations_language() -> str:
    """The current tenant's: that of whoever has owned it longest and has been here; "" if that is nobody."""
    owners = User.objects.filter(role=Role.OWNER, is_active=True).exclude(language="")
    return owners.order_by("date_joined", "pk").values_list("language", flat=True).first() or ""
