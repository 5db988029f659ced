"""Fills a database with tenants, and signs somebody in at some of them; each step goes on where an interrupted run stopped."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction

from bench.tenants import host_of
from plugin_framework.audit import Actor
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.models import PluginSetting, PluginState
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from tenants import spares
from tenants.fleet import migrate_everything
from tenants.many import make_many
from tenants.models import Tenant

BENCH, PREFIX = Actor("bench"), "bench"
# Without tables of their own: thousands of tenants are to be made in minutes.
PLUGINS = {"email_notifications": {"smtp_host": "mail.example", "sender": "a@bench.example"}, "signup_rules": {}}


def make(count: int) -> int:
    """Migrate, and make as many tenants as are missing; how many those were."""
    if failed := [outcome for outcome in migrate_everything() if outcome.error]:
        raise RuntimeError(f"Migrating the benchmark's database failed: {failed[0].who}: {failed[0].error}")
    with public_scope():
        missing = count - Tenant.objects.filter(slug__startswith=f"{PREFIX}-").count()
    return sum(1 for _ in make_many(missing, PREFIX, BENCH)) if missing > 0 else 0


def people(numbers: Sequence[int]) -> list[tuple[str, str]]:
    """The host of each of these tenants (from 1), and a cookie with which somebody is signed in there."""
    slugs = [f"{PREFIX}-{number}" for number in numbers]
    with public_scope():
        schemas = dict(Tenant.objects.filter(slug__in=slugs).values_list("slug", "schema_name"))
    return [(host_of(slug), _cookie(slug, schemas[slug])) for slug in slugs]


def fill_pool(spare: int) -> None:
    """Have so many spare schemas."""
    settings.SPARE_SCHEMAS = spare
    while spares.tend():
        pass


def _cookie(slug: str, schema: str) -> str:
    with tenant_scope(TenantRef(slug=slug, name=slug, host=host_of(slug), schema=schema)), transaction.atomic():
        if not PluginState.objects.filter(plugin__in=PLUGINS).exists():
            _enable_plugins()
        someone, _ = get_user_model().objects.get_or_create(
            email=f"somebody@{slug}.example", defaults={"name": "Somebody"}
        )
        session = SessionStore()
        session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(someone.pk), settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = someone.get_session_auth_hash()
        session.create()
        return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def _enable_plugins() -> None:
    PluginState.objects.bulk_create(
        PluginState(plugin=name, enabled=True, version="1.0.0", settings_revision=1) for name in PLUGINS
    )
    PluginSetting.objects.bulk_create(
        PluginSetting(plugin_name=name, key=key, value=value)
        for name, config in PLUGINS.items()
        for key, value in config.items()
    )
    bump_tenant()
