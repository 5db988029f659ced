"""A storm: clients, a receiver and a worker as processes of their own, one of them killed again and again at a named place."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from plugin_framework.audit import Actor
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.delivery.models import Lane
from plugin_framework.models import AuditEntry, Delivery, DeliveryAttempt, PluginState
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.testing.waiting import wait_until
from tenants.provisioning import create_tenant
from tests.faults.checker import Delivered, Histories, Receipt, clients_of
from tests.faults.world import Started, World

CLIENT_WINDOWS = ("before_commit", "after_commit")
# Places of the worker, with how many pass between two kills in a thousand events for each kill; a claim takes many events at once.
PASSES = {
    "after_claim": 0,
    "before_send": 8,
    "mid_send": 8,
    "after_answer": 8,
    "after_mark": 8,
    "scheduling_retry": 1,
}
REPEATING = {"mid_send", "after_answer"}  # killed there, something may have arrived and be sent again
_PASS_TIME = """
DO $$ DECLARE schema text; BEGIN
    FOR schema IN SELECT DISTINCT tenant_schema FROM public.delivery_lane LOOP
        EXECUTE format('UPDATE %I.plugin_framework_delivery SET next_at = now() WHERE state = ''due'' AND next_at > now()', schema);
    END LOOP;
    UPDATE public.delivery_lane SET next_at = clock_timestamp(), seq = seq + 1, paused_until = NULL
    WHERE next_at > clock_timestamp() OR paused_until > clock_timestamp();
END $$
"""


@dataclass(slots=True)
class Storm:
    """One run. `kills`: processes that were killed at their place, by place."""

    world: World
    tenants: list[TenantRef]
    events: int
    kills: Counter[str] = field(default_factory=Counter)
    port: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """What its processes have to know."""
        return {"TENANTRY_FAULT_PORT": str(self.port), "LOG_LEVEL": "ERROR"}

    @property
    def clients_file(self) -> Path:
        return self.world.folder / "clients.jsonl"

    @property
    def receipts_file(self) -> Path:
        return self.world.folder / "receipts.jsonl"

    def start_receiver(self) -> None:
        """Start the receiver, and wait until it listens."""
        port = self.world.folder / "port"
        self.world.run("-m", "tests.faults.receiver", str(port), str(self.receipts_file))
        wait_until(port.exists, what="the receiver to listen")
        self.port = int(port.read_text())

    def client(self, first: int, last: int, mode: str = "durable", failpoints: str = "") -> Started:
        """Start a client on those of these rows that are not done yet."""
        command = ("-m", "tests.faults.client", str(self.clients_file), str(first), str(last), mode)
        return self.world.run(*command, TENANTRY_FAILPOINTS=failpoints, **self.environment)

    def kill_clients(self, place: str, times: int, mode: str = "durable") -> None:
        """Let one client after the other be killed at `place`, each after some work; then let one finish."""
        some = self.events // (2 * times)
        for _ in range(times):
            client = self.client(0, self.events, mode, f"{place}:kill@{some}")
            assert client.process.wait(timeout=120) == -signal.SIGKILL, client.text
            self.kills[place] += 1
        finish(self.client(0, self.events, mode))

    def kill_children(self, places: Sequence[str], times: int) -> None:
        """Let `times` children of one worker be killed at each of `places`, and then all be delivered."""
        failpoints = ",".join(f"{place}:kill*{times}@{PASSES[place]}" for place in places)
        worker = self.world.worker(failpoints=failpoints, **self.environment)
        self.settle()
        for place in places:
            self.kills[place] += worker.text.count(f"failpoint {place}\n")
        assert worker.process.poll() is None, worker.text
        worker.stop()

    def kill_workers(self, place: str, times: int) -> None:
        """Let whole workers be killed at `place`, one after the other.

        Each has one child at a time, however long that takes over its delivery, so nothing else is cut off with it.
        """
        for _ in range(times):
            alone = ("--children", "1", "--elastic-factor", "1", "--lease", "600")
            worker = self.world.worker(*alone, failpoints=f"{place}:kill_worker@{PASSES[place]}", **self.environment)
            wait_until(lambda worker=worker: self._over(worker), seconds=120, what=f"a worker to die at {place}")
            self.kills[place] += f"failpoint {place}\n" in worker.text

    def _over(self, worker: Started) -> bool:
        self.pass_time()
        return worker.process.poll() is not None

    @staticmethod
    def pass_time() -> None:
        """Make everything that waits due now."""
        with public_scope(), connection.cursor() as cursor:
            cursor.execute(_PASS_TIME)

    def settle(self, seconds: float = 900) -> None:
        """Until nothing is due any more."""

        def settled() -> bool:
            self.pass_time()
            if self.world.wakes():  # looked at first: the fold that takes them away makes lanes of them
                return False
            with public_scope():
                return not Lane.objects.filter(next_at__isnull=False).exists()

        wait_until(settled, seconds=seconds, what="all deliveries to end")

    def count(self, counted: Callable[[str, int], None], found: Histories) -> None:
        """Tell the report what was done, after nothing was found wrong."""
        counted("rows tried", len(found.clients))
        counted("tenants", len(self.tenants))
        counted("processes killed", self.kills.total())
        counted("rows committed", len(found.rows))
        counted("received", sum(receipt.accepted for receipt in found.receipts))
        counted("of these repeated", sum(receipt.accepted for receipt in found.receipts) - len(found.rows))

    def histories(self, *, may_repeat: bool, durable: bool = True) -> Histories:
        """All that was written down, and what is in the database now."""
        receipts = tuple(
            Receipt(line["key"], line["tenant"], line["row"], line["accepted"]) for line in _lines(self.receipts_file)
        )
        rows, deliveries = set[tuple[str, str]](), list[Delivered]()
        for tenant in self.tenants:
            with tenant_scope(tenant):
                found = AuditEntry.objects.filter(action="storm.row").values_list("target", flat=True)
                rows |= {(tenant.slug, row) for row in found}
                deliveries += _deliveries(tenant)
        clients = clients_of(_lines(self.clients_file))
        return Histories(clients, receipts, frozenset(rows), tuple(deliveries) if durable else None, may_repeat)


def prepare(world: World, tenants: int, events: int) -> Storm:
    """A storm over so many tenants, in each of which the poster is enabled."""
    refs = [*world.tenants]
    refs += [create_tenant(f"firm{n}", f"Firm {n}", Actor("tests")) for n in range(tenants - len(refs))]
    for tenant in refs:
        with tenant_scope(tenant), transaction.atomic():
            PluginState.objects.create(plugin="poster", enabled=True, version="1.0.0")
            bump_tenant()
    storm = Storm(world, refs, events)
    storm.start_receiver()
    return storm


def finish(client: Started) -> None:
    """Wait until a client has done all it should."""
    assert client.process.wait(timeout=600) == 0, client.text


def _deliveries(tenant: TenantRef) -> Iterator[Delivered]:
    cut = DeliveryAttempt.objects.filter(outcome__in=("killed", "interrupted"), delivery__plugin="poster")
    times = Counter(cut.values_list("delivery_id", flat=True))
    for row in Delivery.objects.filter(plugin="poster"):
        yield Delivered(tenant.slug, row.payload[0]["row"], str(row.idempotency_key), row.state, times[row.pk])


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        for line in path.read_bytes().splitlines():
            yield json.loads(line)
