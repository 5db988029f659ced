"""Finds the tenant of a host, its state and its revisions, and sets the connection's search_path: all in one statement."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from plugin_framework.tenancy import NOWHERE, Revisions, TenantRef
from tenants.models import PLATFORM_SCHEMA, State

_RESOLVE = f"""
SELECT r.*, set_config('search_path', CASE WHEN r.state = 'active' THEN '"' || r.schema_name || '"' ELSE '{NOWHERE}' END, false)
FROM public.tenantry_find_host(%s) r
"""  # noqa: S608  # a constant of ours


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the one statement found."""

    ref: TenantRef
    state: str
    state_message: str
    revisions: Revisions

    @property
    def is_active(self) -> bool:
        """Whether the tenant may be served."""
        return self.state == State.ACTIVE

    @property
    def is_platform(self) -> bool:
        """Whether this is the platform's own tenant."""
        return self.ref.schema == PLATFORM_SCHEMA


def resolve(host: str) -> Resolved | None:
    """The tenant served at `host` (normalised), or None when there is none."""
    row = connection.one_statement(_RESOLVE, [host])  # type: ignore[attr-defined]  # our own wrapper's
    if row is None:
        return None
    schema, slug, name, state, message, primary, timezone, logo, plugins, catalog, _path = row
    ref = TenantRef(slug=slug, name=name, host=primary, schema=schema, timezone=timezone, logo=logo)
    return Resolved(ref, state, message, Revisions(plugins, catalog))
