"""The tenants' file storage, which keeps to their plans; Django's default storage."""

from __future__ import annotations

import os
from typing import Any

from django.utils.deconstruct import deconstructible

from plugin_framework.files import TenantStorage, usage
from plugin_framework.quotas.kinds import QuotaExceeded
from plugin_framework.quotas.storage import release_storage, reserve_storage
from plugin_framework.tenancy import current_tenant


@deconstructible(path="plugin_framework.quotas.files.CountedStorage")
class CountedStorage(TenantStorage):
    """`TenantStorage`, where each file takes its room in the tenant's plan, and gives it back when it is deleted."""

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        """Write a file if there is room for it, and return the name to remember.

        Raises:
            QuotaExceeded: there is none; nothing is kept.
        """
        promised = _size(content)
        reserve_storage(promised)
        try:
            kept = super().save(name, content, max_length)
        except BaseException:
            release_storage(promised)
            raise
        self._take_the_rest(kept, promised)
        return kept

    def delete(self, name: str) -> None:
        """Remove the file `name` of the current tenant; nothing if it is not there."""
        path = self.path(name)
        size = os.path.getsize(path) if os.path.isfile(path) else 0
        super().delete(name)
        if size:
            release_storage(size)

    def _take_the_rest(self, name: str, promised: int) -> None:
        rest = self.size(name) - promised
        try:
            if rest > 0:
                reserve_storage(rest)
        except QuotaExceeded:
            super().delete(name)
            release_storage(promised)
            raise


def bytes_of_files() -> int:
    """What the current tenant's files really take; it looks at each of them."""
    return usage(current_tenant().schema)


def _size(content: Any) -> int:
    """What it says it has; 0 if it does not know that before it is read."""
    try:
        return int(content.size or 0)
    except (AttributeError, OSError):
        return 0
