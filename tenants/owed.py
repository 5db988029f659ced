"""Asks the worker to look after new tenants: those that wait to be made, and the pool of spare schemas."""

from __future__ import annotations

from django.conf import settings

from plugin_framework import tenancy_directory
from plugin_framework.delivery import house
from plugin_framework.tenancy import tenant_scope

WORK = "new_tenants"  # the platform's work of this name, in the platform's own tenant
EVERY = 60.0  # seconds, as `AT` says
AT = "* * * * *"  # and every minute, for what nobody asked for: a pool that was made larger, a try whose time has come


def ask() -> None:
    """Have it done as soon as the current transaction is committed. An installation that keeps no pool has nothing to ask for."""
    own = tenancy_directory.platform() if settings.SPARE_SCHEMAS else None
    if own is not None:
        with tenant_scope(own.ref):
            house.owe(WORK)
