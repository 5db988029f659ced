"""Tenants in all states that a fleet can be in: many, behind, poisoned."""

from __future__ import annotations

from django.db import connection

from plugin_framework.audit import Actor
from plugin_framework.tenancy import TenantRef, tenant_scope
from tenants.provisioning import create_tenant

LACKING = "sessions.0001_initial"  # nothing depends on it


def make(count: int, start: int = 1) -> list[TenantRef]:
    """More tenants: firm1, firm2, …"""
    return [create_tenant(f"firm{number}", f"Firm {number}", Actor("tests")) for number in range(start, start + count)]


def set_back(ref: TenantRef) -> None:
    """Let a tenant be behind by one migration."""
    with tenant_scope(ref), connection.cursor() as cursor:
        cursor.execute("DROP TABLE django_session")
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")


def poison(ref: TenantRef) -> None:
    """Let a tenant be behind by one migration that fails there."""
    set_back(ref)
    with tenant_scope(ref), connection.cursor() as cursor:
        cursor.execute(f'CREATE TABLE "{ref.schema}".django_session (id int)')


def mend(ref: TenantRef) -> None:
    """Take the poison away."""
    with tenant_scope(ref), connection.cursor() as cursor:
        cursor.execute(f'DROP TABLE "{ref.schema}".django_session')


def is_current(ref: TenantRef) -> bool:
    """Whether the migration was made and recorded."""
    with tenant_scope(ref), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_migrations WHERE app = 'sessions'")
        recorded = cursor.fetchone()[0] == 1
        cursor.execute(
            "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('django_session') AND attname = 'session_key'"
        )
        return bool(recorded and cursor.fetchone()[0])
