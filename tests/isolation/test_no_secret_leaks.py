"""A tenant's secrets are planted through the real form, then everything is done to them: they appear nowhere but sealed.

One busy life is lived once for the whole module, and each test looks at another kind of place.
"""

from __future__ import annotations

import io
import logging
import os
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.test import Client, override_settings

from plugin_framework import activation, hooks, masking
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.models import AuditEntry, Delivery, PluginSetting, PluginState, SettingsHistory
from plugin_framework.registry import registry
from plugin_framework.sdk import ErrorReport
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing import databases
from saas.testing.people import person
from saas.testing.receivers import MailServer, WebhookServer, mail_server, webhook_server
from tenants import directory
from tenants.provisioning import ensure_platform
from tests.dummies.indiscreet import MOODS, Indiscreet
from tests.dummies.pages import installed
from tests.support.canaries import Canary, Everything, Search, dump
from tests.support.filled_forms import Page
from tests.support.queue import work_off
from tests.support.routes import addresses

pytestmark = pytest.mark.xdist_group("secrets")  # one life is lived for all of them

URLS = "tests.dummies.indiscreet"  # an organisation's own addresses, and one that fails
MAIL, SLACK, LOUD = "email_notifications", "slack_notifications", "indiscreet"
SECRET_FIELDS = {MAIL: "password", SLACK: "webhook_url", LOUD: "token"}
REPORT = ErrorReport("ValueError in views", "ValueError", "views:get:12", "/x/", "f" * 16, "2026-01-01T00:00:00Z")


@dataclass(eq=False)
class Life:
    """A tenant with secrets, and all that was answered, printed and logged while it was used.

    Attributes:
        saved: the secrets that are stored, by plugin.
        typed: one that is typed into forms which are never saved.
    """

    acme: TenantRef
    mail: MailServer
    hook: WebhookServer
    logs: Everything
    saved: dict[str, Canary]
    typed: Canary = field(default_factory=lambda: Canary("typed"))
    responses: list[tuple[str, str]] = field(default_factory=list)
    printed: list[tuple[str, str]] = field(default_factory=list)
    statuses: set[tuple[str, int]] = field(default_factory=set)
    clients: dict[str, Client] = field(default_factory=dict)

    def search(self, places: Iterable[tuple[str, str]]) -> list[str]:
        """Which of `places`, names and texts, hold a secret."""
        return Search([*self.saved.values(), self.typed]).found(places)

    def ask(self, role: str, path: str, data: QueryDict | None = None, **extra: Any) -> HttpResponseBase:
        """What `role` is answered, kept with its headers; a POST if there is `data`."""
        client = self.clients[role]
        send: Callable[..., Any] = client.get if data is None else client.post
        body = {} if data is None else {"data": data.urlencode(), "content_type": "application/x-www-form-urlencoded"}
        answer = send(path, **body, **extra)
        whole = b"".join(answer.streaming_content) if answer.streaming else answer.content
        name = f"{'GET' if data is None else 'POST'} {path} as {role}"
        text = f"{answer.headers!r} {client.cookies.output()}\n{whole.decode('utf-8', 'replace')}"
        self.responses.append((name, text))
        self.statuses.add((path, answer.status_code))
        return answer

    def form(self, plugin: str, **changes: str | None) -> QueryDict:
        """The settings form as the admin's browser would send it, with `changes`."""
        answer = self.clients["admin"].get(f"/settings/plugins/{plugin}/")
        return Page(answer.content.decode()).submit(**changes)

    def save(self, plugin: str, **changes: str | None) -> None:
        answer = self.ask("admin", f"/settings/plugins/{plugin}/configure/", self.form(plugin, **changes))
        assert answer.status_code == 302, answer.content.decode()

    def secret(self, plugin: str) -> str:
        """The secret of `plugin` as somebody typed it."""
        return self.hook.url if plugin == SLACK else self.saved[plugin].password

    def run(self, *arguments: str) -> None:
        """Run a command, and keep all it prints or complains of."""
        out, err = io.StringIO(), io.StringIO()
        try:
            call_command(*arguments, stdout=out, stderr=err)
        except CommandError as error:
            err.write(str(error))
        self.printed.append((" ".join(arguments), out.getvalue() + err.getvalue()))


@pytest.fixture(scope="module")
def life(template_database: str, django_db_blocker: Any) -> Iterator[Life]:
    """The whole of it, lived."""
    name = f"test_leaks_{os.getpid()}"
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        databases.clone(template_database, name)
        stack.callback(databases.drop, name)
        stack.enter_context(databases.using(name))
        stack.enter_context(installed(Indiscreet))
        stack.enter_context(override_settings(ROOT_URLCONF=URLS, PLUGIN_ALLOW_LOOPBACK=True, ADMINS=["a@x.example"]))
        logs = stack.enter_context(everything_logged())
        mail, hook = stack.enter_context(mail_server()), stack.enter_context(webhook_server())
        lived = begin(mail, hook, logs)
        for chapter in (plant, mistype, connect, deliver, crash, misbehave, command, browse):
            if chapter is misbehave:  # what it does at DEBUG is seen by now: it writes down the context of every page
                logging.getLogger("django.template").setLevel(logging.INFO)
            chapter(lived)
        yield lived


def everything_logged() -> Any:
    """Every logger at DEBUG, database queries too; as it was afterwards."""
    stack = ExitStack()
    kept = Everything()
    kept.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    loggers = [each for each in logging.Logger.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    for logger in (logging.getLogger(), *loggers):
        stack.callback(logger.setLevel, logger.level)
        stack.callback(setattr, logger, "propagate", logger.propagate)
        logger.setLevel(logging.DEBUG)
        logger.propagate = True
    logging.getLogger().addHandler(kept)
    stack.callback(logging.getLogger().removeHandler, kept)

    class Kept:
        def __enter__(self) -> Everything:
            return kept

        def __exit__(self, *exc: object) -> None:
            stack.close()

    return Kept()


def begin(mail: MailServer, hook: WebhookServer, logs: Everything) -> Life:
    """The people, and secrets that nobody has been told yet."""
    entry = directory.by_slug("acme")
    assert entry is not None
    lived = Life(entry.ref, mail, hook, logs, {name: Canary(name) for name in SECRET_FIELDS})
    mail.password = lived.saved[MAIL].password
    hook.path = f"/services/T0/B0/{lived.saved[SLACK].core}"
    platform = ensure_platform()
    for role, ref in (("owner", entry.ref), ("admin", entry.ref), ("member", entry.ref), ("superadmin", platform)):
        who = person(ref, "owner" if ref is platform else role, f"{role}@{ref.slug}.example")
        lived.clients[role] = Client(headers={"host": ref.host}, raise_request_exception=False)
        with tenant_scope(ref):
            lived.clients[role].force_login(who)
    lived.clients["nobody"] = Client(headers={"host": entry.ref.host}, raise_request_exception=False)
    return lived


def plant(life: Life) -> None:
    """Type the secrets into the real form, and switch the plugins on."""
    server = {key: str(value) for key, value in life.mail.settings.items()}
    life.save(MAIL, **server, sender="hello@acme.example", password=life.secret(MAIL))
    life.save(SLACK, webhook_url=life.secret(SLACK))
    life.save(LOUD, token=life.secret(LOUD))
    for name in (MAIL, SLACK, LOUD, "orders", "invoices"):
        life.ask("admin", f"/settings/plugins/{name}/enable/", QueryDict())
    with tenant_scope(life.acme):
        active = activation.current()
        stopped = {name: active.decision(name).text for name in SECRET_FIELDS if not active.decision(name).runs}
        assert stopped == {}
    activation.cache.clear()
    masking.forget()  # what typing has taught this process: everybody else has the secrets from the database alone


def mistype(life: Life) -> None:
    """Save forms with errors while a new secret is typed into them, in all the ways in which that is refused."""
    new = life.typed.password
    bad: list[tuple[str, dict[str, str]]] = [
        (MAIL, {"smtp_port": "99999", "password": new}),
        (MAIL, {"smtp_host": "other.example", "username": "", "password": new}),
        (MAIL, {"password": new, "revision": "0"}),
        (SLACK, {"channel": "a b", "webhook_url": f"https://hooks.slack.com/services/T/{life.typed.core}"}),
        (SLACK, {"webhook_url": f"https://evil.example/{life.typed.core}?x={life.typed.core}"}),
        (LOUD, {"token": new * 9}),
        (LOUD, {"nested.key": life.typed.core}),
        (LOUD, {"mood": "judge", "token": new}),
        (LOUD, {"mood": "validate", "token": new}),
        (LOUD, {"mood": "unheard of", "token": new}),
    ]
    for name, changes in bad:
        for what in ("configure", "test"):
            answer = life.ask("admin", f"/settings/plugins/{name}/{what}/", life.form(name, **changes))
            refused = {409, 422} if what == "configure" else {200, 422}
            assert answer.status_code in refused, (name, changes, answer.status_code)
    life.ask("admin", f"/settings/plugins/{MAIL}/configure/", QueryDict(f"nonsense={life.typed.core}"))
    for role in ("member", "nobody"):
        life.ask(role, f"/settings/plugins/{MAIL}/configure/", life.form(MAIL, password=new))
    life.ask("superadmin", f"/catalog/{MAIL}/settings/", QueryDict(f"smtp_port=x&password={life.typed.core}"))


def connect(life: Life) -> None:
    """ "Test connection" with everything that can come of it; what the other side says quotes the secret."""
    for quoted in ("", "451", "554"):
        answer(life, quoted)
        for name in (MAIL, SLACK):
            life.ask("admin", f"/settings/plugins/{name}/test/", life.form(name))
    answer(life, "")
    wrong = {MAIL: life.typed.password, SLACK: life.hook.url.replace(life.saved[SLACK].core, life.typed.core)}
    for name, value in wrong.items():
        life.ask("admin", f"/settings/plugins/{name}/test/", life.form(name, **{SECRET_FIELDS[name]: value}))
    closed = {"smtp_host": "127.0.0.1", "smtp_port": "1", "password": life.typed.password}
    life.ask("admin", f"/settings/plugins/{MAIL}/test/", life.form(MAIL, **closed))
    for mood in ("check", "say"):
        for token in (None, life.typed.password):
            changes = {"mood": mood} | ({"token": token} if token else {})
            life.ask("admin", f"/settings/plugins/{LOUD}/test/", life.form(LOUD, **changes))


def answer(life: Life, status: str) -> None:
    """From now on the receivers refuse with `status`, and quote what they were sent; with nothing, they are content."""
    password, address = life.secret(MAIL).encode(), life.hook.path.encode()
    quoted = [b64encode(b"\0acme\0" + password), password.hex().encode(), quote(password).encode(), password]
    text = b" ".join(quoted).decode("ascii", "backslashreplace")
    life.mail.refusal = f"{status} {text}" if status else ""
    life.hook.status, life.hook.answer = (int(status) if status else 200), (address if status else b"ok")
    life.hook.headers = {"X-You-Sent": quote(address)} if status else {}


def deliver(life: Life) -> None:
    """Deliveries that succeed, that are to be tried again, and that are given up."""
    for status in ("", "451", "554"):
        answer(life, status)
        emit(life, "system_error", REPORT)
        with tenant_scope(life.acme), transaction.atomic():
            user = get_user_model().objects.create_user(f"new{status}@acme.example", "x" * 12, name="New")
            hooks.emit("user_registered", user)
        work_off()
    answer(life, "")
    emit(life, "whispered", "something")
    emit(life, "whispered", "nothing")
    work_off()
    with tenant_scope(life.acme):
        assert set(Delivery.objects.filter(plugin=LOUD).values_list("state", flat=True)) == {"due", "done"}
        assert set(Delivery.objects.filter(plugin=SLACK).values_list("state", flat=True)) == {"due", "done"}
        assert set(Delivery.objects.filter(plugin=MAIL).values_list("state", flat=True)) >= {"due", "done", "dead"}
    assert life.mail.mails
    assert life.hook.posts


def emit(life: Life, name: str, *args: Any) -> None:
    with tenant_scope(life.acme), transaction.atomic():
        hooks.emit(name, *args)


def misbehave(life: Life) -> None:
    """Plugin code that raises wherever the platform calls it."""
    with tenant_scope(life.acme):
        assert hooks.apply_filters("gossip", "news") == "news"
    life.ask("member", "/apps/orders/")
    for mood in MOODS:
        with tenant_scope(life.acme):  # past the form, as an older version may have left it
            PluginSetting.objects.update_or_create(plugin_name=LOUD, key="mood", defaults={"value": mood})
            PluginState.objects.filter(plugin=LOUD).update(settings_revision=len(mood) + 1000 + MOODS.index(mood))
            bump_tenant()
        emit(life, "whispered", "something")
        for path in ("/", f"/settings/plugins/{LOUD}/", "/settings/plugins/", "/apps/orders/"):
            life.ask("admin", path)
        work_off()
        for arguments in (("list",), ("show", "--plugin", LOUD), ("doctor",), ("explain", "whispered")):
            life.run("plugins", *arguments, "--tenant", "acme", "--json")
    globex = directory.by_slug("globex")
    assert globex is not None
    with tenant_scope(globex.ref):
        activation.cache.clear()  # acme's instances are let go in a request of somebody else's
    life.ask("admin", f"/settings/plugins/{LOUD}/disable/", QueryDict())
    life.ask("admin", f"/settings/plugins/{LOUD}/enable/", QueryDict())


def crash(life: Life) -> None:
    """A page that fails with secrets in its hands, for visitors and for somebody who develops."""
    for debug in (False, True):
        with override_settings(DEBUG=debug):
            for name in SECRET_FIELDS:
                typed = life.form(name, **{SECRET_FIELDS[name]: life.typed.password})
                for accept in ("text/html", "text/plain"):
                    for data in (None, typed):
                        got = life.ask("admin", f"/boom/{name}/", data, headers={"accept": accept})
                        assert got.status_code == 500
                        assert ("RuntimeError" in life.responses[-1][1]) is debug
    work_off()
    with tenant_scope(life.acme):
        assert Delivery.objects.filter(hook="system_error").count() > 3


def command(life: Life) -> None:
    """All that the commands print of a tenant's plugins."""
    for name in SECRET_FIELDS:
        for action in ("show", "history"):
            for more in ((), ("--json",)):
                life.run("plugins", action, "--tenant", "acme", "--plugin", name, *more)
    for more in ((), ("--json",)):
        life.run("plugins", "list", *more)
        life.run("plugins", "list", "--tenant", "acme", *more)
        life.run("plugins", "doctor", *more)
        for hook in registry.points:
            life.run("plugins", "explain", hook, "--tenant", "acme", *more)
    given = ("--set", f"password={life.typed.password}", "--set", "smtp_port=99999")
    life.run("plugins", "configure", "--tenant", "acme", "--plugin", MAIL, *given)


def browse(life: Life) -> None:
    """Open every address there is, as everybody."""
    with tenant_scope(life.acme):
        deliveries = Delivery.objects.order_by("plugin", "state", "id").distinct("plugin", "state")
        revisions = SettingsHistory.objects.order_by("plugin", "-id").distinct("plugin")
        numbers = {*deliveries.values_list("id", flat=True), *revisions.values_list("revision", flat=True)}
    values = {"plugin": [*SECRET_FIELDS, "orders"], "int": [str(each) for each in sorted(numbers)]}
    for role, urlconf, more in (
        ("owner", "saas.urls_tenant", {}),
        ("admin", "saas.urls_tenant", {"int": ["1"]}),
        ("member", "saas.urls_tenant", {"int": ["1"]}),
        ("nobody", "saas.urls_tenant", {"int": ["1"]}),
        ("superadmin", "saas.urls_platform", {}),
    ):
        for path in addresses(urlconf, **{**values, **more}):
            if not path.startswith("/accounts/logout"):  # or the rest would be asked by nobody
                life.ask(role, path)


def test_no_response_holds_a_secret(life: Life) -> None:
    assert life.search(life.responses) == []
    assert {(f"/settings/plugins/{name}/", 200) for name in SECRET_FIELDS} <= life.statuses
    assert {(f"/settings/plugins/{name}/history/", 200) for name in SECRET_FIELDS} <= life.statuses
    assert {(f"/catalog/{name}/settings/", 200) for name in SECRET_FIELDS} <= life.statuses


def test_no_log_line_and_no_report_of_an_error_holds_a_secret(life: Life) -> None:
    assert life.search(("log", line) for line in life.logs.lines) == []
    assert "cannot sign in" in life.logs.text()


def test_nothing_a_command_prints_holds_a_secret(life: Life) -> None:
    assert life.search(life.printed) == []
    assert any("password" in text for _, text in life.printed)


def test_no_row_of_any_table_holds_a_secret(life: Life) -> None:
    rows = dict(dump())
    assert life.search(rows.items()) == []
    assert any("cannot sign in" in text for text in rows.values())


def test_nothing_but_the_password_and_the_address_itself_goes_out(life: Life) -> None:
    mails = [
        (str(mail.recipients), f"{mail.raw.decode()}\n{mail.part('plain')}\n{mail.part('html')}")
        for mail in life.mail.mails
    ]
    posts = [(post.path, f"{post.headers} {post.body}") for post in life.hook.posts]
    assert life.search(mails) == []
    assert life.search((name, text) for name, text in posts) == []
    assert any(life.saved[SLACK].core in path for path, _ in posts)


def test_what_is_stored_opens_to_the_secrets_that_were_planted(life: Life) -> None:
    with tenant_scope(life.acme):
        running = activation.current().plugins
        stored = {name: str(running[name].settings[key]) for name, key in SECRET_FIELDS.items()}
    assert stored == {name: life.secret(name) for name in SECRET_FIELDS}


@pytest.mark.parametrize("place", ["row", "json", "bytes", "session", "cache", "log"])
@pytest.mark.parametrize("wrapped", [0, 1, 2, 3, 4, 5])
def test_the_sweep_finds_a_canary_in_every_kind_of_place(life: Life, place: str, wrapped: int) -> None:
    canary = Canary("planted")
    secret = canary.password
    text = (
        secret,
        secret[::-1],
        quote(secret),
        secret.encode().hex(),
        b64encode(secret.encode()).decode(),
        b64encode(f"\0u\0{secret}.".encode()).decode(),
    )[wrapped]
    if place == "log":
        kept = Everything()
        kept.handle(logging.LogRecord("x", logging.INFO, "x", 1, "said %s", (text,), None))
        assert Search([canary]).found([("log", kept.text())])
        return
    with tenant_scope(life.acme), transaction.atomic():
        if place == "session":
            session = SessionStore()
            session["x"] = [text, "y" * 300]
            session.save()
        elif place == "cache":
            cache.set("x", {"y": text})
        elif place == "row":
            Delivery.objects.filter(plugin=MAIL).update(last_error=text)
        elif place == "json":
            AuditEntry.objects.create(actor="x", action="x", target="x", detail={"x": [text]})
        else:
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE kept AS SELECT %s::bytea AS x", [text.encode()])
        hits = Search([canary]).found(dump())
        transaction.set_rollback(True)
    assert hits
