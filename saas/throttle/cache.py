"""Django's cache in PostgreSQL: one for all processes, with the tenant in every key."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.db import DatabaseCache
from django.db import connection

from plugin_framework.tenancy import PUBLIC, tenant_or_none


class TenantCache(DatabaseCache):
    """What one tenant stores, another cannot see: the key carries the schema, whoever computes the rest of it."""

    def make_key(self, key: Any, version: int | None = None) -> str:
        """The key as it is stored."""
        return f"{_owner()}:{super().make_key(key, version)}"

    def clear(self) -> None:
        """Forget what the current tenant has stored, and nothing else."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM public.tenantry_cache WHERE starts_with(cache_key, %s)", [f"{_owner()}:"])


def _owner() -> str:
    tenant = tenant_or_none()
    return tenant.schema if tenant else PUBLIC
