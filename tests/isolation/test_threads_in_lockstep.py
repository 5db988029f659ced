"""Threads that enter and leave scopes in step: each is back where it was, whoever else came and went meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from plugin_framework.tenancy import TenantRef, public_scope, tenant_or_none, tenant_scope
from tests.conftest import Tenants


def where() -> str:
    """Which organisation is current."""
    tenant = tenant_or_none()
    return tenant.slug if tenant else "nowhere"


def visit(ref: TenantRef, first: bool, step: threading.Barrier) -> list[str]:
    """Go to `ref`, to the shared schema and back; who is first, enters and leaves first. What was not as it had to be."""
    wrong = []
    with tenant_scope(ref):
        shared = public_scope()
        for turn in (True, False):
            step.wait(10)
            if turn is first:
                shared.__enter__()
        if where() != "nowhere":
            wrong.append(f"was in the shared schema and is at {where()}")
        for turn in (True, False):
            step.wait(10)
            if turn is first:
                shared.__exit__(None, None, None)
        step.wait(10)
        if where() != ref.slug:
            wrong.append(f"was at {ref.slug} and is at {where()}")
    return wrong if where() == "nowhere" else [*wrong, f"had left {ref.slug} and is at {where()}"]


def test_whoever_leaves_a_scope_is_where_they_were_before(tenants: Tenants) -> None:
    """Two who come in one order and leave in the same: what they shared would give one the other's place back."""
    both = [tenants.acme, tenants.globex]
    for refs in (both, both[::-1]):
        step = threading.Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(visit, refs, [True, False], [step, step]))
        assert found == [[], []]
