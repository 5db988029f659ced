"""Web and worker processes are killed at every step of making tenants and spare schemas; nothing is left half made."""

from __future__ import annotations

import http.client
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import pytest
from django.db import connection
from django.db.models.functions import Now

from plugin_framework.delivery import lanes
from plugin_framework.delivery.models import Lane
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.testing.people import PASSWORD
from saas.testing.waiting import wait_until
from tenants import directory, owed, spares
from tenants.accounts.models import User
from tenants.models import Spare, State, Tenant
from tests.faults.world import Started, World
from tests.support.orphans import orphans

WANTED = 3
AGAIN = int(os.environ.get("SIGN_UP_KILLS", "1"))  # kills at each step
SIGNING_UP = ("spare_taken", "tenant_claimed", "tenant_settled", "owner_added")
FILLING = ("schema_created", "schema_filled", "spare_made", "spare_dropped")
FINISHING = ("sign_up_begun", "schema_created", "schema_filled", "tenant_settled", "owner_added", "sign_up_finished")


@dataclass(slots=True)
class Visitor:
    """A browser on the real web server, as far as signing up needs one."""

    listening: socket.socket
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, host: str, path: str, **form: str) -> http.client.HTTPResponse | None:
        """One request; None if the connection broke. The body is read already, as `body`."""
        where = self.listening.getsockname()
        headers = {"Host": host, "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with closing(http.client.HTTPConnection(*where, timeout=60)) as web:
            try:
                web.request(method, path, urlencode(form) if form else None, headers)
                answer = web.getresponse()
                answer.body = answer.read().decode()  # type: ignore[attr-defined]  # for the test
            except (ConnectionError, http.client.RemoteDisconnected):
                return None
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def sign_up(self, slug: str) -> str | None:
        """Fill the form in; where it led, or None if the process died of it."""
        form = self.ask("GET", "localhost", "/signup/")
        assert form is not None
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.body)  # type: ignore[attr-defined]  # the same
        assert token is not None
        answer = self.ask(
            "POST",
            "localhost",
            "/signup/",
            csrfmiddlewaretoken=token[1],
            organisation=slug.title(),
            slug=slug,
            name="Bill",
            email=f"bill@{slug}.example",
            password=PASSWORD,
        )
        if answer is None:
            return None
        assert answer.status == 302, answer.body  # type: ignore[attr-defined]  # the same
        return answer.headers["Location"]

    def follow(self, address: str) -> int:
        """Go there; the status."""
        parts = urlsplit(address)
        answer = self.ask("GET", parts.hostname or "", f"{parts.path}?{parts.query}")
        assert answer is not None
        return answer.status


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield Visitor(listening)


@pytest.fixture(autouse=True)
def a_pool(settings: object) -> None:
    settings.SPARE_SCHEMAS = WANTED  # type: ignore[attr-defined]  # pytest-django's


def platform() -> TenantRef:
    entry = directory.by_slug("admin")
    assert entry is not None
    return entry.ref


def ready() -> set[str]:
    with public_scope():
        return set(Spare.objects.values_list("schema_name", flat=True))


def fill() -> None:
    while spares.tend():
        pass


def ask_the_worker() -> None:
    with public_scope():
        owed.ask()


def hurry() -> None:
    """Let the waits of what was interrupted pass, as `World.pass_time` does for the tenants; but not the second in which the other
    sign-ups get their turn."""
    with public_scope():
        Lane.objects.filter(paused_until__gt=Now()).update(paused_until=Now())
    with tenant_scope(platform()), connection.cursor() as cursor:
        cursor.execute("UPDATE plugin_framework_delivery SET next_at = now() WHERE state = 'due' AND next_at > now()")
        cursor.execute("SELECT count(*) FROM plugin_framework_delivery WHERE state = 'due'")
        nothing_owed = cursor.fetchone() == (0,)
    if nothing_owed:  # given up after ten attempts that were interrupted: the next minute would bring another
        ask_the_worker()
    with public_scope():
        lanes.hurry(platform().schema)


def until(worker: Started, done: Callable[[], bool], what: str) -> None:
    """Wait for it, letting time pass, with nothing half made at any moment that anybody else can see."""

    def look() -> bool:
        hurry()
        assert orphans() == []
        return done()

    wait_until(look, seconds=60 + 60 * AGAIN, what=what)
    assert worker.process.poll() is None


def kills(*places: str) -> str:
    return ",".join(f"{place}:kill*{AGAIN}" for place in places)


def died_at(started: Started, *places: str) -> bool:
    return all(started.text.count(f"failpoint {place}\n") == AGAIN for place in places)


def test_a_sign_up_that_is_killed_at_any_step_leaves_the_pool_as_it_was(
    world: World, visitor: Visitor, counted: Callable[[str, int], None]
) -> None:
    fill()
    pool = ready()
    web = world.web(visitor.listening, kills(*SIGNING_UP), SPARE_SCHEMAS=str(WANTED))
    for _ in range(AGAIN * len(SIGNING_UP)):
        assert visitor.sign_up("initech") is None
        assert orphans() == []
        assert ready() == pool
        assert directory.is_free("initech")
    assert died_at(web, *SIGNING_UP)
    address = visitor.sign_up("initech")
    assert address is not None
    assert visitor.follow(address) == 302
    assert visitor.follow("http://initech.localhost/") == 200
    assert len(ready()) == WANTED - 1
    assert orphans() == []
    counted("sign-ups killed", AGAIN * len(SIGNING_UP))


def test_a_worker_that_is_killed_at_any_step_of_filling_leaves_whole_spares_and_no_others(
    world: World, counted: Callable[[str, int], None]
) -> None:
    fill()
    stale = ready()
    with public_scope():
        Spare.objects.update(blueprint="of an older release")
    ask_the_worker()
    worker = world.worker(failpoints=kills(*FILLING), SPARE_SCHEMAS=str(WANTED))
    until(worker, lambda: spares.count() == spares.Pool(WANTED, 0) and died_at(worker, *FILLING), "a full pool")
    assert not ready() & stale
    assert worker.stop() == 0
    counted("fillings killed", AGAIN * len(FILLING))


def test_a_sign_up_with_an_empty_pool_is_finished_through_kills_at_every_step(
    world: World, visitor: Visitor, counted: Callable[[str, int], None]
) -> None:
    """Each sign-up outlives so many kills; there are as many as it takes for all of them."""
    web = world.web(visitor.listening, "sign_up_put_down:kill", SPARE_SCHEMAS=str(WANTED))
    slugs = [f"firm{number}" for number in range(1 + AGAIN * len(FINISHING) // 3)]
    assert visitor.sign_up(slugs[0]) is None
    assert orphans() == []
    assert directory.is_free(slugs[0])
    addresses = [visitor.sign_up(slug) for slug in slugs]
    assert web.text.count("failpoint sign_up_put_down\n") == 1
    assert all(address is not None and visitor.follow(address) == 503 for address in addresses)

    worker = world.worker(failpoints=kills(*FINISHING), SPARE_SCHEMAS=str(WANTED))

    def finished() -> bool:
        with public_scope():
            return not Tenant.objects.filter(state=State.PROVISIONING).exists()

    until(worker, finished, "all organisations to be made")
    assert died_at(worker, *FINISHING)
    for slug, address in zip(slugs, addresses, strict=True):
        guest = Visitor(visitor.listening)
        assert address is not None
        assert guest.follow(address) == 302
        assert guest.follow(f"http://{slug}.localhost/") == 200
        entry = directory.by_slug(slug)
        assert entry is not None
        with tenant_scope(entry.ref):
            assert User.objects.count() == 1
    assert orphans() == []
    assert worker.stop() == 0
    counted("finishings killed", AGAIN * len(FINISHING))
    counted("organisations", len(slugs))
