"""`manage.py migrate`: the same as `migrate_tenants`; the stock command would record migrations that were never made."""

from saas.management.commands.migrate_tenants import Command

__all__ = ["Command"]
