"""The console's page of the platform's own settings: what is set, where it comes from, and what staff has decided; no secret is shown."""

from __future__ import annotations

import os
import platform as python_platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import django
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from plugin_framework.registry import registry
from plugin_framework.sdk._counts import Counted
from saas.console import catalog_info
from saas.console.adoption import count_adoption
from saas.site.access import admins_only

UNSET = gettext_lazy("not set")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment, as staff reads it.

    Attributes:
        value: what is in force, without secrets. `given`: whether the environment says so; else it is the default.
    """

    name: str
    meaning: str
    value: str
    given: bool


type Words = str | Promise


def _plain(name: str) -> str:
    value = getattr(settings, name, os.environ.get(name, ""))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value) if value not in ("", None) else str(UNSET)


def _hidden(name: str) -> str:
    return _("set, and not shown") if getattr(settings, name, "") else str(UNSET)


def _keys(name: str) -> str:
    number = len(getattr(settings, name))
    return ngettext("%(n)s key, not shown", "%(n)s keys, not shown", number) % {"n": Counted(number)}


def _address(name: str) -> str:
    """A URL without its password."""
    text = os.environ.get(name, "") or str(getattr(settings, name, "") or "")
    if not text:
        return _("the embedded PostgreSQL") if name == "DATABASE_URL" else str(UNSET)
    try:
        found = urlsplit(text)
        host = found.hostname or ""
        where = f"[{host}]" if ":" in host else host
        port = f":{found.port}" if found.port else ""
    except ValueError:
        return _("set, and not shown")
    who = f"{found.username}:…@" if found.password else f"{found.username}@" if found.username else ""
    return urlunsplit((found.scheme, f"{who}{where}{port}", found.path, "", ""))


def _log_level(name: str) -> str:
    logging: dict[str, Any] = settings.LOGGING
    return str(logging["root"]["level"])


def _log_format(name: str) -> str:
    return os.environ.get(name) or ("text" if settings.DEBUG or settings.DEMO else "json")


def _database(name: str) -> str:
    options: dict[str, Any] = settings.DATABASES["default"]
    return str(options.get(name, options.get("OPTIONS", {}).get(name, UNSET)))


def _proxied(name: str) -> str:
    return _("yes") if getattr(settings, "SECURE_PROXY_SSL_HEADER", None) else _("no")


type Row = tuple[str, Words, Callable[[str], str]]
GROUPS: tuple[tuple[Words, tuple[Row, ...]], ...] = (
    (
        gettext_lazy("Addresses"),
        (
            ("BASE_DOMAIN", gettext_lazy("The public host; organisations are served under it."), _plain),
            ("PUBLIC_PORT", gettext_lazy("The port in links."), _plain),
            ("HTTPS", gettext_lazy("Secure cookies and HSTS."), _plain),
            ("SECURE_HSTS_SECONDS", gettext_lazy("How long browsers remember to use HTTPS, in seconds."), _plain),
            ("SECURE_SSL_REDIRECT", gettext_lazy("Plain HTTP is redirected here."), _plain),
            ("BEHIND_PROXY", gettext_lazy("The proxy’s X-Forwarded-Proto is trusted."), _proxied),
            ("TRUSTED_PROXIES", gettext_lazy("Proxies that append to X-Forwarded-For."), _plain),
        ),
    ),
    (
        gettext_lazy("Database and files"),
        (
            ("DATABASE_URL", gettext_lazy("Where PostgreSQL is."), _address),
            ("PG_BIN", gettext_lazy("Another PostgreSQL’s programs for the embedded server."), _plain),
            ("CITUS", gettext_lazy("Organisations are spread over a Citus cluster."), _plain),
            ("CONN_MAX_AGE", gettext_lazy("Seconds that a connection is kept."), _database),
            ("CONN_MAX_SCHEMAS", gettext_lazy("Schemas after which a connection is replaced."), _database),
            ("TENANTRY_DATA", gettext_lazy("Where the embedded server and development secrets are."), _plain),
            ("MEDIA_ROOT", gettext_lazy("Where organisations’ files are."), _plain),
            ("STATIC_ROOT", gettext_lazy("Where static files were collected."), _plain),
        ),
    ),
    (
        gettext_lazy("Secrets"),
        (
            ("SECRET_KEY", gettext_lazy("Signs sign-ins and tokens."), _hidden),
            (
                "CONFIRMED_FOR_MINUTES",
                gettext_lazy(
                    "Minutes in which nobody is asked for their password again before data leaves or is deleted."
                ),
                _plain,
            ),
            ("SECRETS_KEYS", gettext_lazy("Seal plugins’ secrets, the newest first."), _keys),
        ),
    ),
    (
        gettext_lazy("Mail"),
        (
            ("EMAIL_URL", gettext_lazy("The server of the platform’s own mail."), _address),
            ("DEFAULT_FROM_EMAIL", gettext_lazy("Its sender."), _plain),
        ),
    ),
    (
        gettext_lazy("Signing up, and keeping"),
        (
            ("SPARE_SCHEMAS", gettext_lazy("Schemas kept ready for those who sign up."), _plain),
            ("SIGNUPS_PER_HOUR_AND_ADDRESS", gettext_lazy("Organisations signed up from one address."), _plain),
            ("SIGNUPS_PER_HOUR_AND_MAIL_DOMAIN", gettext_lazy("Organisations with one mail domain."), _plain),
            ("REGISTRATIONS_PER_HOUR_AND_ADDRESS", gettext_lazy("People registered from one address."), _plain),
            ("TENANT_DELETE_DAYS", gettext_lazy("Days in which a deleted organisation can come back."), _plain),
            ("TENANT_HOST_REST_DAYS", gettext_lazy("Days after that until others can have its address."), _plain),
            ("DELIVERIES_KEEP_DAYS", gettext_lazy("Days that ended deliveries are kept."), _plain),
            ("DEAD_DELIVERIES_KEEP_DAYS", gettext_lazy("Days that given-up deliveries are kept."), _plain),
        ),
    ),
    (
        gettext_lazy("Switches and watching"),
        (
            ("DEBUG", gettext_lazy("Django’s debug pages; never in production."), _plain),
            ("PLUGIN_ALLOW_LOOPBACK", gettext_lazy("Plugins may talk to this machine; development only."), _plain),
            ("LOG_LEVEL", gettext_lazy("What is logged."), _log_level),
            ("LOG_FORMAT", gettext_lazy("How it is written."), _log_format),
            ("METRICS_TOKEN", gettext_lazy("Whoever has it may read /metrics."), _hidden),
            ("METRICS_DIR", gettext_lazy("Where this machine’s processes count."), _plain),
        ),
    ),
)
WHERE = {"TENANTRY_DATA": "DATA_DIR"}  # where the setting has another name than its variable


@require_safe
@admins_only
def settings_page(request: HttpRequest) -> HttpResponse:
    """All of them; to change one, change the environment and restart."""
    catalog = catalog_info.catalog(count_adoption())
    context = {
        "groups": [(title, [_variable(*row) for row in rows]) for title, rows in GROUPS],
        "versions": _versions(),
        "decided": [info for info in catalog if _is_decided(info)],
    }
    return render(request, "platform/settings.html", context)


def _variable(name: str, meaning: Words, show: Callable[[str], str]) -> Variable:
    return Variable(name, str(meaning), show(WHERE.get(name, name)), name in os.environ)


def _is_decided(info: catalog_info.CatalogInfo) -> bool:
    changed = info.availability != "everyone" or info.on_by_default or info.required
    return changed or bool(info.platform_fields or info.locked_fields)


def _versions() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        server = str(cursor.fetchone()[0])
    return [
        ("Django", django.get_version()),
        ("Python", python_platform.python_version()),
        ("PostgreSQL", server.partition(" ")[0]),
        (_("Plugins"), str(len(registry.specs))),
    ]
