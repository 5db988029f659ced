"""Refuses settings with which one organisation could meet another's data; `manage.py check` says it, and no process serves with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.checks import CheckMessage, Error, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from plugin_framework.files import TenantStorage
from plugin_framework.signing import signers_are_bound
from plugin_framework.tenancy import NOWHERE
from saas.throttle.cache import TenantCache
from saas.unsupported import NO_ASGI, NO_POOL

TAG = "isolation"
ENGINE, ROUTER = "plugin_framework.db", "plugin_framework.db.router.SchemaRouter"
RAW = f"-c search_path={NOWHERE}"
_NO_CACHE = "django.core.cache.backends.dummy.DummyCache"


def refuse_to_serve() -> None:
    """Called where a process begins that is not started by a command of manage.py, which checks by itself.

    Raises:
        ImproperlyConfigured: the settings mix organisations up; the text says which, and what to set instead.
    """
    if wrong := run_checks(tags=[TAG]):
        raise ImproperlyConfigured("\n".join(f"{each.msg} {each.hint or ''}".strip() for each in wrong))


@register(TAG)
def what_is_kept_carries_the_tenant(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Cache, files, sessions, signatures, cookies."""
    return [*_caches(), *_storages(), *_sessions(), *_signatures(), *_cookies()]


@register(TAG)
def the_database_is_asked_for_one_tenant_at_a_time(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """The connection and the router that know the scope, and WSGI."""
    return [*_databases(), *_routers(), *_asgi()]


def _caches() -> Iterator[CheckMessage]:
    for name, found in settings.CACHES.items():
        backend = str(found["BACKEND"])
        if backend != _NO_CACHE and not issubclass(import_string(backend), TenantCache):
            yield Error(
                f"The cache {name!r} is a {backend}, whose keys do not carry the tenant.",
                hint="Use saas.throttle.cache.TenantCache, or a subclass of it.",
                id="tenantry.E010",
            )


def _storages() -> Iterator[CheckMessage]:
    storages: Mapping[str, Any] = settings.STORAGES
    for name, found in storages.items():
        backend = str(found["BACKEND"])
        if name != "staticfiles" and not issubclass(import_string(backend), TenantStorage):
            yield Error(
                f"The storage {name!r} is a {backend}, whose files do not lie in the tenant's folder.",
                hint="Use plugin_framework.files.TenantStorage, or a subclass of it.",
                id="tenantry.E011",
            )


def _sessions() -> Iterator[CheckMessage]:
    if not issubclass(import_module(settings.SESSION_ENGINE).SessionStore, SessionStore):
        yield Error(
            f"SESSION_ENGINE is {settings.SESSION_ENGINE}, which keeps sessions outside of the tenant's schema.",
            hint="Use django.contrib.sessions.backends.db.",
            id="tenantry.E012",
        )


def _signatures() -> Iterator[CheckMessage]:
    if not signers_are_bound():
        yield Error(
            "Django's signers do not carry the tenant: something has replaced Signer.signature.",
            hint="Leave it as plugin_framework.signing has made it.",
            id="tenantry.E013",
        )


def _cookies() -> Iterator[CheckMessage]:
    for name in ("SESSION_COOKIE_DOMAIN", "CSRF_COOKIE_DOMAIN", "LANGUAGE_COOKIE_DOMAIN"):
        if getattr(settings, name, None):
            yield Error(
                f"{name} is set: browsers would send the cookie of one organisation to all others.",
                hint="Leave it out.",
                id="tenantry.E014",
            )


def _databases() -> Iterator[CheckMessage]:
    for name, found in settings.DATABASES.items():
        if name != "default" or found["ENGINE"] != ENGINE:
            yield Error(
                f"The database {name!r} has the engine {found['ENGINE']}, which does not follow the tenant's scope.",
                hint=f'Keep one database, "default", with the engine {ENGINE}.',
                id="tenantry.E015",
            )
        yield from _connections(found.get("OPTIONS", {}))


def _connections(options: Mapping[str, Any]) -> Iterator[CheckMessage]:
    if options.get("pool"):
        yield Error(NO_POOL, hint='Leave "pool" out of OPTIONS.', id="tenantry.E016")
    if RAW not in str(options.get("options", "")):
        yield Error(
            "A new connection would see the tables of the public schema before anybody has said whose it is.",
            hint=f"Put {RAW!r} into OPTIONS, as its `options`.",
            id="tenantry.E017",
        )


def _routers() -> Iterator[CheckMessage]:
    if settings.DATABASE_ROUTERS != [ROUTER]:
        yield Error(
            "DATABASE_ROUTERS is not the router that keeps objects of one tenant out of another.",
            hint=f'Set it to ["{ROUTER}"].',
            id="tenantry.E018",
        )


def _asgi() -> Iterator[CheckMessage]:
    if getattr(settings, "ASGI_APPLICATION", None):
        yield Error(NO_ASGI, hint="Leave ASGI_APPLICATION out.", id="tenantry.E019")
