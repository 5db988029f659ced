"""Django's cache in PostgreSQL: one for all processes, with the tenant in every key."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.cache.backends.db import DatabaseCache
from django.db import connection

from plugin_framework.tenancy import PUBLIC, tenant_or_none

LONGEST_KEY = 250  # characters; the column takes 255


class TenantCache(DatabaseCache):
    """What one tenant stores, another cannot see: the key carries the schema, whoever computes the rest of it.

    Works outside of every tenant too; what is stored there belongs to the platform.
    """

    def __init__(self, table: str, params: dict[str, Any]) -> None:
        # Quoted already, so Django leaves it as it is: whatever the search_path, and whatever tables a tenant has, it is this one.
        self.quoted_table = f'"{PUBLIC}"."{table}"'
        super().__init__(self.quoted_table, params)

    def make_key(self, key: Any, version: int | None = None) -> str:
        """The key as it is stored; a very long one by its hash."""
        rest = super().make_key(key, version)
        owner = _owner()
        if len(owner) + 1 + len(rest) > LONGEST_KEY:
            rest = "sha256:" + hashlib.sha256(rest.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{owner}:{rest}"

    def clear(self) -> None:
        """Forget what the current tenant has stored, and nothing else."""
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {self.quoted_table} WHERE starts_with(cache_key, %s)", [f"{_owner()}:"])  # noqa: S608  # our own table


def _owner() -> str:
    tenant = tenant_or_none()
    return tenant.schema if tenant else PUBLIC
