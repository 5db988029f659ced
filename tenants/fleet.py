"""Migrates the public schema, the platform's tenant and every other tenant, each in its own transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction

from plugin_framework.db.migrator import installed_labels, migrate_schema, shared_labels, tenant_labels
from plugin_framework.lifecycle import record_tables
from plugin_framework.registry import registry
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from plugin_framework.tenancy_directory import everyone
from plugin_framework.upgrades import Finding, upgrade
from tenants.provisioning import ensure_platform

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What migrating one schema came to."""

    who: str
    applied: tuple[str, ...] = ()
    error: str = ""
    unfit: tuple[Finding, ...] = ()  # plugins whose saved settings do not fit the installed version: they need setup


def migrate_everything() -> Iterator[Outcome]:
    """Bring all schemas up to date, the shared one first; a tenant that fails is reported and the others go on."""
    yield Outcome("public", tuple(_migrate_public()))
    ensure_platform()
    for entry in everyone():
        yield _migrate_tenant(entry.ref)


def _migrate_public() -> list[str]:
    with public_scope(), transaction.atomic():
        _one_at_a_time()
        return migrate_schema(shared_labels())


def _migrate_tenant(ref: TenantRef) -> Outcome:
    try:
        with tenant_scope(ref), transaction.atomic():
            _one_at_a_time()
            plugins = {spec.app_label for spec in registry.specs.values() if spec.app_label} & installed_labels()
            applied = migrate_schema(tenant_labels() | plugins)
            if applied:
                record_tables()
            unfit = tuple(found for found in upgrade() if found.problem)
            return Outcome(ref.slug, tuple(applied), unfit=unfit)
    except Exception as error:
        log.exception("Migrating %s failed", ref.slug)
        return Outcome(ref.slug, error=f"{type(error).__name__}: {error}")


def _one_at_a_time() -> None:
    """Two deploys at once: the second waits for the first, and then finds nothing to do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('migrate:' || current_schema(), 0))")
