"""Every route, by every method, as everybody, with one's own ids, a neighbour's and nobody's: as `routes.txt` says.

MATRIX=full tries everything with everything. Without it, the two roles on either side of the line are tried, and the stranger; ids of
others and of nobody by the weakest who may; and by the mightiest, the methods that nobody may use.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import person
from tenants.provisioning import ensure_platform
from tests.conftest import Tenants
from tests.support.matrix import ROLES, Furnished, Row, addresses, fingerprint, furnish, routes, table

FULL = os.environ.get("MATRIX", "") == "full"
SAFE, UNSAFE = ("GET", "HEAD", "OPTIONS"), ("POST", "PUT", "PATCH", "DELETE")
DONE = {200, 201, 204, 302, 400, 404, 409, 410, 422, 429}  # what somebody who may do it can get
LOGIN = "/accounts/login/"


@dataclass(frozen=True)
class World:
    """acme, whose routes are tried; globex, of which nothing may be seen or changed; the platform."""

    own: Furnished
    foreign: Furnished
    clients: dict[tuple[str, str], Client]

    def of(self, host: str) -> list[tuple[str, Client]]:
        """Everybody who knocks at `host`, by role."""
        return [(role, client) for (where, role), client in self.clients.items() if where == host]


@dataclass(frozen=True)
class Call:
    """One request, and what came of it."""

    row: Row
    role: str
    method: str
    kind: str
    path: str
    status: int = 0
    to_login: bool = False
    body: str = ""

    def __str__(self) -> str:
        return f"{self.row.host} {self.method} {self.path} ({self.kind}) as {self.role}: {self.status}"


@pytest.fixture
def world(tenants: Tenants, client_for: Callable[..., Client]) -> World:
    platform = ensure_platform()
    own, foreign = furnish(tenants.acme, foreign=False), furnish(tenants.globex, foreign=True)
    clients: dict[tuple[str, str], Client] = {}
    for host, ref in (("tenant", tenants.acme), ("platform", platform)):
        for role in ROLES:
            user = person(ref, role, f"{role}@{ref.slug}.example") if role != "anyone" else None
            clients[host, role] = _client(client_for, ref, user)
        clients[host, "stranger"] = _stranger(client_for, tenants.globex, ref.host)
    clients["public", "anyone"] = _client(client_for, None, None)
    clients["public", "stranger"] = _stranger(client_for, tenants.globex, "localhost")
    return World(own, foreign, clients)


def _client(client_for: Callable[..., Client], ref: TenantRef | None, user: Any) -> Client:
    client = client_for(ref, user)
    client.raise_request_exception = False
    return client


def _stranger(client_for: Callable[..., Client], home: TenantRef, host: str) -> Client:
    """The owner of another organisation, with the cookies from there."""
    client = _client(client_for, home, person(home, "owner", f"stranger.{host}@example.com"))
    client.defaults["HTTP_HOST"] = host
    return client


@contextmanager
def undone() -> Iterator[None]:
    """What happens in between has not happened."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def ask(client: Client, method: str, path: str) -> HttpResponse:
    """One request after which nothing is different, the cookies included."""
    cookies = copy.deepcopy(client.cookies)
    try:
        answer: Any = client.generic(method, path, b"", content_type="application/x-www-form-urlencoded")
        return answer
    finally:
        client.cookies = cookies


def text_of(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return f"{answer.headers} {content.decode('utf-8', 'replace')}"


def calls(world: World) -> Iterator[Call]:
    """Every request that is tried, each undone before the next."""
    before = fingerprint(world.foreign.ref.schema)
    for row in sorted(table().values(), key=lambda row: (row.host, row.route)):
        for kind, path in addresses(row.route, world.own, world.foreign).items():
            for role, client in world.of(row.host):
                for method in (*SAFE, *UNSAFE):
                    if FULL or tells(row, kind, role, method):
                        yield _call(world, before, Call(row, role, method, kind, path), client)


def tells(row: Row, kind: str, role: str, method: str) -> bool:
    """Whether a request is among the few that stand for the others."""
    needed = row.needed(method)
    if method not in ("GET", "POST"):
        return (
            kind == "own" and method != "OPTIONS" and role == (row.weakest if method == "HEAD" else STRONGEST[row.host])
        )
    if needed == "-":
        return kind == "own" and role == STRONGEST[row.host]
    below = ROLES[max(ROLES.index(needed) - 1, 0)]
    if kind != "own":
        return role == needed
    return role in (needed, below) or (role == "stranger" and method == "GET")


STRONGEST = {"tenant": "owner", "platform": "owner", "public": "anyone"}


def _call(world: World, before: object, call: Call, client: Client) -> Call:
    with undone():
        answer = ask(client, call.method, call.path)
        to_login = answer.status_code == 302 and answer["Location"].startswith(LOGIN) and "/signup/" not in call.path
        done = replace(call, status=answer.status_code, to_login=to_login, body=text_of(answer))
        refused = done.to_login or done.status in (403, 405)
        if call.method in UNSAFE and not refused and fingerprint(world.foreign.ref.schema) != before:
            raise AssertionError(f"{done} has changed the other organisation")
    return done


def wrong(call: Call) -> bool:
    """Whether the answer is not what the table says."""
    needed = call.row.needed(call.method)
    if call.status >= 500 or call.method == "OPTIONS":
        return call.status >= 500
    role = "anyone" if call.role == "stranger" else call.role
    if ROLES.index(role) >= ROLES.index(call.row.weakest if needed == "-" else needed):
        if needed == "-":
            return call.status != 405
        taken = DONE | ({405} if call.row.loose and call.method not in ("GET", "POST") else set())
        return call.status not in taken or (call.to_login and needed != "anyone")
    return call.status not in (403, 404, 405) and not (role == "anyone" and call.to_login)


def test_every_route_has_its_line_in_routes_txt() -> None:
    missing, gone = routes() - table().keys(), table().keys() - routes()
    assert not missing, f"Say in tests/isolation/routes.txt who may see, and who may send to: {sorted(missing)}"
    assert not gone, f"These are no routes any more; take them out of tests/isolation/routes.txt: {sorted(gone)}"


def test_everybody_gets_what_the_table_says_and_nothing_of_a_neighbour(
    world: World, counted: Callable[[str, int], None]
) -> None:
    found = list(calls(world))
    counted("requests of the route matrix", len(found))
    odd = [str(call) for call in found if wrong(call)]
    assert not odd, f"Not as routes.txt says ({len(odd)}):\n" + "\n".join(odd)
    assert [str(call) for call in found if world.foreign.mark in call.body] == []
    shown = {call.row.route for call in found if world.own.mark in call.body and call.status == 200}
    assert len(shown) >= 15, shown  # the marks are seen where they may be, or their absence elsewhere says nothing
    by_kind = {(call.row, call.role, call.method, call.kind): (call.status, call.to_login) for call in found}
    told_apart = [
        key for key, status in by_kind.items() if key[3] == "foreign" and by_kind[*key[:3], "nobodys"] != status
    ]
    assert told_apart == []


def test_no_form_is_taken_without_its_token(world: World, tenants: Tenants) -> None:
    taken = []
    for (host, role), client in world.clients.items():
        if role not in ("owner", "anyone"):
            continue  # the mightiest has the most to lose
        client.handler.enforce_csrf_checks = True
        for row in table().values():
            program = role == "anyone" and row.route == "/register/"  # without a cookie there is nothing to misuse
            if row.host == host and row.send != "-" and not program:
                path = addresses(row.route, world.own, world.foreign)["own"]
                with undone():
                    status = ask(client, "POST", path).status_code
                if status != 403 and not (role == "anyone" and status in (302, 404, 405)):
                    taken.append((host, role, path, status))
    assert taken == []


def test_no_page_of_a_plugin_answers_once_it_is_switched_off(world: World, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        for name in ("announcements", "usage_analytics", "webhooks", "invoices", "orders"):
            lifecycle.disable(name, SYSTEM)
    client = world.clients["tenant", "owner"]
    answered = []
    for row in table().values():
        if row.route.startswith(("/apps/", "/files/")):
            path = addresses(row.route, world.own, world.foreign)["own"]
            for method in ("GET", "POST"):
                with undone():
                    status = ask(client, method, path).status_code
                if status != 404 and not (row.route.startswith("/files/") and method == "POST" and status == 405):
                    answered.append((method, path, status))
    assert answered == []
