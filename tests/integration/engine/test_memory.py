"""What a tenant's active set costs: bounded in number by the cache, and in bytes by what is stated."""

from __future__ import annotations

import dataclasses
import gc
import tracemalloc

from plugin_framework import activation, configuration, instances, lifecycle
from plugin_framework.activation import BYTES_PER_TENANT
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog import revisions
from plugin_framework.tenancy import current_tenant, tenant_scope
from tests.conftest import Tenants

SETS = 50
MAIL = {"smtp_host": "mail.example", "sender": "a@acme.example", "username": "acme"}


def test_an_active_set_of_all_built_in_plugins_takes_no_more_than_is_stated(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        configuration.configure("email_notifications", SYSTEM, MAIL, secrets={("password",): "s" * 100})
        configuration.configure("invoices", SYSTEM, {"seller_address": "1 Road"})
        configuration.configure("signup_rules", SYSTEM, {"allowed_domains": [f"d{n}.example" for n in range(50)]})
        for name in ("email_notifications", "invoices", "signup_rules"):
            lifecycle.enable(name, SYSTEM)
        wanted, made = revisions.read(), []
        activation.build(current_tenant(), wanted, None)  # what all tenants share is there now
        gc.collect()
        tracemalloc.start()
        for number in range(SETS):
            tenant = dataclasses.replace(current_tenant(), slug=f"firm-{number}")
            made.append(activation.build(tenant, wanted, None))
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] / SETS
        tracemalloc.stop()
    assert len(made[0].plugins) == 4
    for each in made:
        instances.retire(each.held)
    assert taken < BYTES_PER_TENANT, f"{taken:.0f} bytes"
