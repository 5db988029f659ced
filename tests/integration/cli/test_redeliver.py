"""`plugins redeliver`: many deliveries of one organisation again, from the command line."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.models import AuditEntry, Delivery
from plugin_framework.tenancy import TenantRef, tenant_scope
from tests.conftest import Tenants
from tests.support.deliveries import deliveries

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def run(*arguments: str, tenant: str = "acme") -> str:
    said = io.StringIO()
    call_command("plugins", "redeliver", "--tenant", tenant, *arguments, stdout=said)
    return said.getvalue()


def again(tenant: TenantRef) -> set[int]:
    with tenant_scope(tenant):
        return {row.pk for row in Delivery.objects.filter(state="due")}


@pytest.fixture
def acme(tenants: Tenants) -> TenantRef:
    """Where orders runs, and the invoices do not."""
    with tenant_scope(tenants.acme):
        lifecycle.enable("orders", SYSTEM)
    return tenants.acme


def _three(tenant: TenantRef, state: str = "dead", **values: Any) -> list[int]:
    times = (NOON - timedelta(hours=2), NOON, NOON + timedelta(hours=2))
    return [deliveries(tenant, state, **{"plugin": "orders", "created_at": at} | values)[0].pk for at in times]


def test_given_up_ones_are_delivered_again_and_others_are_not(acme: TenantRef) -> None:
    dead = _three(acme)
    _three(acme, "done")
    assert "made again" in run()
    assert again(acme) == set(dead)
    with tenant_scope(acme):
        entry = AuditEntry.objects.get(action="delivery.redelivered_many")
    assert (entry.actor, entry.detail) == ("command line", {"count": 3, "state": "Given up"})


def test_a_time_range_a_state_and_a_plugin_narrow_it(acme: TenantRef) -> None:
    _three(acme)
    _, wanted, _ = _three(acme, "done")
    _three(acme, "done", plugin="invoices")
    run("--plugin", "orders", "--state", "done", "--since", "2026-11-20T11:00", "--until", "2026-11-20T15:00+02:00")
    assert again(acme) == {wanted}


def test_a_dry_run_says_what_would_be_done_and_does_nothing(acme: TenantRef) -> None:
    _three(acme)
    _three(acme, plugin="invoices")
    second, first = json.loads(run("--dry-run", "--json"))
    assert (first["plugin"], first["deliveries"], first["outcome"]) == ("invoices", 3, "passed over")
    assert first["why"]
    assert second == {"plugin": "orders", "deliveries": 3, "outcome": "would be delivered again", "why": ""}
    assert again(acme) == set()
    with tenant_scope(acme):
        assert not AuditEntry.objects.filter(action="delivery.redelivered_many").exists()


def test_the_neighbour_keeps_its_given_up_ones(acme: TenantRef, tenants: Tenants) -> None:
    _three(tenants.globex)
    assert "nothing to deliver again" in run()
    assert again(tenants.globex) == set()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--since", "yesterday"), "--since: “yesterday” is not a date and time. Write it like this"),
        (("--since", "2026-11-20", "--until", "2026-11-19"), "--until must be later"),
        (("--state", "waiting"), "invalid choice"),
        (("--plugin", "nonsense"), "nonsense"),
    ],
)
def test_what_cannot_be_meant_is_one_clear_sentence(acme: TenantRef, arguments: tuple[str, ...], words: str) -> None:
    dead = _three(acme)
    with pytest.raises(CommandError, match=words):
        run(*arguments)
    assert again(acme) == set()
    assert dead
