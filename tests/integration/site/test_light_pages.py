"""No page is heavy or asks the database much, in an organisation with fifty plugins and ten thousand deliveries.

Counted is what PostgreSQL is sent, and what a browser is sent that comes for the first time: the page, its style sheets, scripts and
pictures, as they pass all middlewares, compressed where it takes that.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM, record
from plugin_framework.models import Delivery, DeliveryAttempt
from plugin_framework.registry import registry
from plugin_framework.sdk import ConfigurablePlugin, Person, hook
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import person
from saas.testing.statements import written_down
from tenants.accounts.models import User
from tenants.provisioning import ensure_platform
from tests.conftest import Tenants
from tests.dummies.pages import installed
from tests.support.matrix import addresses, furnish, table

MOST_BYTES, MOST_QUERIES = 100_000, 20
PLUGINS, DELIVERIES = 50, 10_000
_ASSETS = re.compile(r'<(?:link|script|img)\b[^>]*?\b(?:href|src)="(/[^"]+)"')
_CONTROL = (
    "SAVEPOINT",
    "RELEASE",
    "ROLLBACK",
    "BEGIN",
    "COMMIT",
    "FETCH",
    "CLOSE",
    "SELECT SET_CONFIG(",
)  # they read nothing


@dataclass(frozen=True)
class Visit:
    """What one page has cost."""

    path: str
    status: int
    bytes: int
    statements: tuple[str, ...]


def _plugin(number: int) -> type[ConfigurablePlugin]:
    """One of many, with settings and an event that it listens to."""

    class Filler(ConfigurablePlugin):
        name, version, title = f"filler_{number}", "1.0.0", f"Filler {number}"
        description = "Fills a list, and says in a line of usual length what it would do if it did anything"
        reads = ("the name of whoever joins",)
        sends_to = ("nobody",)

        def get_config_schema(self) -> dict[str, Any]:
            return {"type": "object", "properties": {"size": {"type": "integer", "title": "Size", "default": 3}}}

        def initialize(self, config: dict[str, Any]) -> None:
            pass

        def cleanup(self) -> None:
            pass

        @hook("user_registered")
        def registered(self, user: Any) -> None:
            pass

        def export_person(self, person: Person) -> Any:
            return list(User.objects.filter(email__in=person.emails).values("name"))

    return Filler


@pytest.fixture
def crowd() -> Iterator[list[str]]:
    """Fifty plugins are installed; the names of those that came to the built-in ones."""
    more = [_plugin(number) for number in range(PLUGINS - len(registry.specs))]
    with installed(*more):
        yield [plugin.name for plugin in more]


@pytest.fixture
def acme(tenants: Tenants, crowd: list[str]) -> TenantRef:
    """Something of everything, and much of what grows."""
    with tenant_scope(tenants.acme):
        for name in crowd:
            lifecycle.enable(name, SYSTEM)
        for number in range(300):
            record(SYSTEM, "person.invited", f"somebody{number}@example.com", role="member")
        User.objects.bulk_create(User(email=f"p{number}@example.com", name=f"Person {number}") for number in range(60))
        _deliveries(["orders", "webhooks", *crowd])
    return tenants.acme


def _deliveries(plugins: list[str]) -> None:
    now = timezone.now()
    rows = Delivery.objects.bulk_create(
        Delivery(
            event_id=uuid.uuid4(), hook="user_registered", plugin=plugins[number % len(plugins)], handler="registered",
            payload={"args": []}, idempotency_key=uuid.uuid4(), state=("done", "dead", "due")[number % 50 if number % 50 < 3 else 0],
            attempts=1, created_at=now - timedelta(minutes=DELIVERIES - number), duration_ms=40, last_error="No answer came.",
        )
        for number in range(DELIVERIES)
    )  # fmt: skip
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(delivery=row, number=1, started_at=now, duration_ms=40, outcome="done") for row in rows[-2000:]
    )


def sent(answer: Any) -> int:
    """The bytes of a body."""
    return sum(map(len, answer.streaming_content)) if answer.streaming else len(answer.content)


def visit(client: Client, path: str, asset: Callable[[str], int]) -> Visit:
    """Look at a page twice: the first time processes and caches warm up, as they are for everybody but one."""
    sent(client.get(path))
    with written_down() as statements:
        answer: Any = client.get(path)
    asked = tuple(each for each in statements if not each.lstrip('" ').upper().startswith(_CONTROL))
    page = client.get(path, headers={"accept-encoding": "gzip"})
    weight = sent(page)
    sent(answer)  # or its file stays open
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        weight += sum(asset(each) for each in set(_ASSETS.findall(answer.content.decode())))
    return Visit(path, answer.status_code, weight, asked)


def visits(clients: dict[str, Client], acme: TenantRef) -> Iterator[Visit]:
    """Every page that can be looked at, of an organisation, of the console, and of the public host."""
    own = furnish(acme, foreign=False)

    @cache
    def asset(path: str) -> int:
        answer: Any = clients["public"].get(path, headers={"accept-encoding": "gzip"})
        assert answer.status_code == 200, path
        return sent(answer)

    for row in table().values():
        if row.see != "-" and "/inbox/" not in row.route:
            yield visit(clients[row.host], addresses(row.route, own, own)["own"], asset)


def test_no_page_is_heavy_or_asks_much(acme: TenantRef, client_for: Callable[..., Client]) -> None:
    platform = ensure_platform()
    clients = {"public": client_for()}
    for host, ref in (("tenant", acme), ("platform", platform)):
        clients[host] = client_for(ref, person(ref, "owner", f"owner@{ref.slug}.example"))
    ContentType.objects.clear_cache()
    found = list(visits(clients, acme))
    assert sum(each.status == 200 for each in found) > 40
    report = "\n".join(f"{each.bytes:7} {len(each.statements):3} {each.status} {each.path}" for each in found)
    heavy = [each.path for each in found if each.bytes > MOST_BYTES]
    assert not heavy, f"{heavy} weigh more than {MOST_BYTES} bytes:\n{report}"
    asking = ["\n  ".join([each.path, *each.statements]) for each in found if len(each.statements) > MOST_QUERIES]
    assert not asking, "These ask the database too often:\n" + "\n".join(asking)
