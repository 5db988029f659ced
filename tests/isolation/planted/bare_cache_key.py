"""Cache keys are Django's own, without the tenant."""

from __future__ import annotations

from django.core.cache.backends.base import BaseCache

from saas.throttle.cache import TenantCache


def plant() -> None:
    """Leave the keys as they come."""
    TenantCache.make_key = BaseCache.make_key  # type: ignore[method-assign]  # planted on purpose
