"""Somebody put an `lru_cache` on the active set: what a process has seen of a tenant's plugins, it keeps."""

from __future__ import annotations

import functools
from typing import Any

from plugin_framework import activation
from plugin_framework.catalog import revisions
from plugin_framework.tenancy import TenantRef

_use = activation._Cache.use


@functools.lru_cache(maxsize=512)
def _once(cache: Any, tenant: TenantRef) -> activation.ActiveSet:
    return _use(cache, tenant, revisions.read())


def plant() -> None:
    """Ask once for each tenant."""
    activation._Cache.use = lambda self, tenant, wanted: _once(self, tenant)  # type: ignore[method-assign]  # planted on purpose
