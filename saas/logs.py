"""Puts the tenant on every log line."""

from __future__ import annotations

import logging

from plugin_framework import tenancy


class TenantFilter(logging.Filter):
    """Adds ``record.tenant``: the current tenant's slug, or a dash."""

    def filter(self, record: logging.LogRecord) -> bool:
        tenant = tenancy.tenant_or_none()
        record.tenant = tenant.slug if tenant else "-"
        return True
