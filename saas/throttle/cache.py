"""Django's cache in PostgreSQL: one for all processes, with the tenant in every key and in every value."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.db import connection

from plugin_framework.sdk import NoTenant
from plugin_framework.tenancy import PUBLIC, current_scope

log = logging.getLogger(__name__)
LONGEST_KEY = 250  # characters; the column takes 255


class TenantCache(DatabaseCache):
    """What one tenant stores, another cannot see: the key carries the schema, whoever computes the rest of it.

    Should a key ever lead to another's value all the same, the value says so and counts as absent. In the public scope it is the
    platform's cache.

    Raises:
        NoTenant: from every method, outside of every scope: two tenants' threads would meet there.
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

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        """As Django's, without the owners of the values."""
        owner, found = _owner(), super().get_many(keys, version)
        mine = {
            key: value.content for key, value in found.items() if isinstance(value, _Owned) and value.owner == owner
        }
        if len(mine) < len(found):
            log.error(
                "The cache of %s held %d values of somebody else; they were not used", owner, len(found) - len(mine)
            )
        return mine

    def _base_set(self, mode: str, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT) -> bool | None:
        return super()._base_set(mode, key, _Owned(_owner(), value), timeout)  # type: ignore[misc,no-any-return]  # the stubs omit it

    def clear(self) -> None:
        """Forget what the current tenant has stored, and nothing else."""
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {self.quoted_table} WHERE starts_with(cache_key, %s)", [f"{_owner()}:"])  # noqa: S608  # our own table


@dataclass(frozen=True, slots=True)
class _Owned:
    """A value as it is stored."""

    owner: str
    content: Any


def _owner() -> str:
    scope = current_scope()
    if scope is None:
        raise NoTenant
    return scope.tenant.schema if scope.tenant else PUBLIC
