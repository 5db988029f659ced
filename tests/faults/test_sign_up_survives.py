"""A registration through the real web server, and what it makes the plugins send, while web and worker are killed."""

from __future__ import annotations

import http.client
import json
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.receivers import PASSWORD, MailServer, WebhookServer, mail_server, webhook_server
from saas.testing.waiting import wait_until
from tests.faults.world import Started, World


@dataclass(frozen=True, slots=True)
class Office:
    """`acme` with both notification plugins, their receivers, and the socket at which the web server will listen."""

    world: World
    mail: MailServer
    slack: WebhookServer
    listening: socket.socket

    def register(self, name: str, tenant: TenantRef | None = None) -> int | None:
        """Send a registration, to `acme` unless told otherwise; the answer's status, or None if the connection broke."""
        host, port = self.listening.getsockname()
        body = json.dumps({"name": name, "email": f"{name}@people.example", "password": "a long pass phrase 7"})
        headers = {"Host": (tenant or self.world.acme).host, "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection(host, port, timeout=60)) as web:
            try:
                web.request("POST", "/register/", body, headers)
                return web.getresponse().status
            except (ConnectionError, http.client.RemoteDisconnected):
                return None

    def people(self) -> set[str]:
        """Who has an account in `acme`."""
        with tenant_scope(self.world.acme):
            return set(get_user_model().objects.values_list("name", flat=True))

    def waiting(self) -> list[tuple[str, str, int]]:
        """Deliveries of registrations: plugin, state, attempts."""
        rows = self.world.deliveries(self.world.acme, hook="user_registered")
        return [(row.plugin, row.state, row.attempts) for row in rows]

    def mail_keys(self, name: str) -> list[str]:
        """Of each mail that came for somebody: the key by which a repetition is recognised."""
        mine = [mail for mail in self.mail.mails if mail.recipients == [f"{name}@people.example"]]
        return [mail.message["Message-ID"].strip("<>").partition("@")[0] for mail in mine]

    def post_keys(self, name: str) -> list[str]:
        """The same of each message to the channel."""
        return [post.headers["idempotency-key"] for post in self.slack.posts if name in json.dumps(post.body)]

    def keys(self, plugin: str) -> set[str]:
        """The keys of the deliveries to one plugin."""
        return {str(row.idempotency_key) for row in self.world.deliveries(self.world.acme, plugin=plugin)}


@pytest.fixture
def office(world: World) -> Iterator[Office]:
    with mail_server() as mail, webhook_server() as slack, socket.create_server(("127.0.0.1", 0)) as listening:
        with tenant_scope(world.acme):
            mailing = {**mail.settings, "sender": "hello@acme.example"}
            configuration.configure("email_notifications", SYSTEM, mailing, secrets={("password",): PASSWORD})
            configuration.configure(
                "slack_notifications",
                SYSTEM,
                {"events": ["user_registered"]},
                secrets={("webhook_url",): slack.url},
            )
            for plugin in ("email_notifications", "slack_notifications"):
                lifecycle.enable(plugin, SYSTEM)
        yield Office(world, mail, slack, listening)


def test_a_committed_registration_survives_the_death_of_web_and_worker(office: Office) -> None:
    world = office.world
    web = world.web(office.listening, "after_commit:kill_worker")
    assert office.register("ada") is None
    assert web.process.wait(timeout=60) == -signal.SIGKILL
    assert "failpoint after_commit\n" in web.text
    assert office.people() == {"ada"}
    assert office.waiting() == [("email_notifications", "due", 0), ("slack_notifications", "due", 0)]

    world.web(office.listening)
    assert office.register("grace") == 201

    # Killed with a mail in the receiver's hands, and with a message to the channel; then between the answer and the mark.
    office.mail.interrupt = office.slack.interrupt = lambda: world.started[-1].kill_whole()
    while office.mail.interrupt or office.slack.interrupt:
        _until_killed(world, world.worker())
    _until_killed(world, world.worker(failpoints="after_answer:kill_worker"))
    last = world.worker()
    world.settle()
    assert last.stop() == 0

    assert {state for _, state, _ in office.waiting()} == {"done"}
    assert len(office.waiting()) == 4
    for found, plugin in ((office.mail_keys, "email_notifications"), (office.post_keys, "slack_notifications")):
        assert {*found("ada"), *found("grace")} == office.keys(plugin)
        assert len(set(found("ada"))) == len(set(found("grace"))) == 1, "a repetition has the key of the first"
        assert set(found("ada")) != set(found("grace"))
    copies = len(office.mail.mails) + len(office.slack.posts)
    assert 4 + 3 <= copies <= sum(attempts for _, _, attempts in office.waiting()), "each kill has cost a repetition"


def test_a_registration_rolled_back_delivers_nothing(office: Office) -> None:
    world = office.world
    _refuse_at_commit(world, "rolled")
    # The first registration dies with its web process just before the commit; the parent makes another process.
    web = world.web(office.listening, "before_commit:kill")
    assert office.register("ghost") is None
    assert "failpoint before_commit\n" in web.text
    assert office.register("rolled") == 500
    assert office.people() == set()
    assert office.waiting() == []

    assert office.register("grace") == 201
    world.worker()
    world.settle()
    assert office.people() == {"grace"}
    assert office.waiting() == [("email_notifications", "done", 1), ("slack_notifications", "done", 1)]
    assert [mail.recipients for mail in office.mail.mails] == [["grace@people.example"]]
    assert [office.post_keys(name) != [] for name in ("ghost", "rolled", "grace")] == [False, False, True]
    assert len(office.slack.posts) == 1


def test_a_registration_next_door_where_nothing_is_enabled_sends_nothing(office: Office) -> None:
    office.world.web(office.listening)
    assert office.register("ada", office.world.globex) == 201
    assert office.people() == set()
    assert office.world.all_deliveries() == []
    assert office.world.wakes() == []


def _until_killed(world: World, worker: Started) -> None:
    """Let time pass until it has been killed."""
    wait_until(lambda: worker.process.poll() is not None or world.pass_time(), what="the worker's death")
    assert worker.process.returncode == -signal.SIGKILL


def _refuse_at_commit(world: World, name: str) -> None:
    """Let the database refuse somebody's account at the very end of its transaction, when all has been written."""
    with tenant_scope(world.acme), connection.cursor() as cursor:
        table = get_user_model()._meta.db_table
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$"
        )
        cursor.execute(
            f"CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED "
            f"FOR EACH ROW WHEN (NEW.name = '{name}') EXECUTE FUNCTION refuse()"
        )
