"""The same work with django-tenants as it comes: its command, and a tenant that makes its schema when it is saved."""

from __future__ import annotations

import os
import time

from django.core.management import call_command
from django.db import connection
from django_tenants.management.commands.migrate_schemas import Command
from django_tenants.utils import schema_context

from bench.tenants import host_of
from tenants.models import Domain, Tenant
from tenants.names import new_schema_name

_schemas: list[str] = []


def prepare() -> None:
    """Make the shared tables."""
    _migrate(shared=True)


def new_tenants(count: int) -> list[float]:
    """Microseconds of each of so many new tenants, host included."""
    taken = []
    for _ in range(count):
        slug, schema = f"peer-{len(_schemas)}", new_schema_name()
        began = time.perf_counter()
        with schema_context("public"):
            tenant = Tenant(slug=slug, name=slug, schema_name=schema)
            tenant.auto_create_schema = True
            tenant.save(verbosity=0)
            Domain.objects.create(domain=host_of(slug), tenant=tenant)
        taken.append((time.perf_counter() - began) * 1e6)
        _schemas.append(schema)
    return taken


def migrate() -> float:
    """Microseconds of a migration with nothing to do, for each tenant there is."""
    began = time.perf_counter()
    _migrate(tenant=True)
    return (time.perf_counter() - began) * 1e6 / len(_schemas)


def _migrate(**options: bool) -> None:
    """django-tenants' own command: ours has its name here."""
    with open(os.devnull, "w") as nowhere:
        call_command(Command(stdout=nowhere), verbosity=0, interactive=False, **options)
    connection.set_schema_to_public()  # type: ignore[attr-defined]  # of the backend that this side has
