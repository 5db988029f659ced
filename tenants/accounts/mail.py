"""Under which name the platform writes to an organisation's people."""

from __future__ import annotations

from email.utils import formataddr, parseaddr

from django.conf import settings

from plugin_framework.tenancy import current_tenant


def organisation() -> str:
    """The current tenant's name as it may stand in a mail's header: on one line."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in current_tenant().name).split())


def sender() -> str:
    """The current tenant's name with the platform's address: its own mail server is for its plugins, and may not be set up."""
    return formataddr((organisation(), parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))
