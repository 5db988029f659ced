"""Which tables of the public schema Citus has to know of, and which it must not.

A transaction that writes a tenant's tables and a plain table beside them is committed in two steps, one after the other: the coordinator
killed in between keeps the first and loses the second (8 of 10 kills, in the trial behind DESIGN §6). With a table that Citus knows
of it is committed in two phases, and with that all else that the transaction wrote on the coordinator: one such table is enough.
But Citus plans every statement on such a table, and refuses some: volatile functions in an UPDATE, functions in DO UPDATE. So those
and only those are registered whose loss nobody would notice in time.
"""

from __future__ import annotations

from collections.abc import Mapping

REGISTERED: Mapping[str, str] = {
    "delivery_wake": "written by every emit: a delivery without its wake-up would wait for ever",
    "delivery_schedule": "written when a plugin is enabled: a job without its row would never run",
    "catalog_tenantrevision": "written with every change of a tenant's plugins: without it, processes keep the old set",
}
PLAIN: Mapping[str, str] = {
    "catalog_catalogentry": "changed by the superadmin, in no tenant's transaction",
    "catalog_cataloggrant": "the same",
    "catalog_catalogrevision": "the same",
    "catalog_plan": "the same",
    "catalog_finishedmigration": "written by migrate_tenants, in no tenant's transaction",
    "catalog_tenantplan": "changed by the superadmin, who is told when it fails, beside an audit entry only",
    "catalog_errorseen": "a lost row means that an error is reported once more",
    "delivery_lane": "workers' own; what they lose they find again from deliveries and wake-ups",
    "delivery_worker": "heartbeats",
    "django_content_type": "made by migrations, before any tenant has a row",
    "tenants_tenant": "made together with a schema, which Citus commits in two phases anyway; changed by people who are told",
    "tenants_domain": "the same",
    "tenants_retiredhost": "the same",
    "tenants_signup": "the same",
    "tenants_spare": "given away together with rows of delivery_schedule; its own statements lock rows in a CTE, which Citus refuses",
    "tenants_blueprint": "written by migrate, in no tenant's transaction",
    "throttle_counter": "counted outside of the transaction that it guards",
    "tenantry_cache": "a cache",
}
