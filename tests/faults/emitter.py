"""A process that emits one event inside a business transaction: `python -m tests.faults.emitter SCHEMA`. Failpoints may end it."""

import sys

import django

django.setup()

from django.db import transaction  # noqa: E402  # the apps are loaded now

from plugin_framework import hooks, tenancy_directory  # noqa: E402
from plugin_framework.audit import SYSTEM, record  # noqa: E402
from plugin_framework.tenancy import tenant_scope  # noqa: E402

if __name__ == "__main__":
    entry = tenancy_directory.find(sys.argv[1])
    assert entry is not None
    with tenant_scope(entry.ref), transaction.atomic():
        record(SYSTEM, "test.business")
        hooks.emit("fault_work", {"do": "ok", "n": "emitter"})
