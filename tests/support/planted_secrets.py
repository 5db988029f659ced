"""Plants a tenant's secrets through the real form, and keeps all that is answered, printed and logged from then on."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.core.management import CommandError, call_command
from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.test import Client

from plugin_framework import activation, masking
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import person
from saas.testing.receivers import MailServer, WebhookServer
from tenants import directory
from tenants.provisioning import ensure_platform
from tests.support.canaries import Canary, Everything, Search
from tests.support.filled_forms import Page

MAIL, SLACK, LOUD = "email_notifications", "slack_notifications", "indiscreet"
SECRET_FIELDS = {MAIL: "password", SLACK: "webhook_url", LOUD: "token"}


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
    _forms: dict[str, Page] = field(default_factory=dict)

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
        """The settings form as the admin's browser would send it, with `changes`; opened once until something is saved."""
        if plugin not in self._forms:
            answer = self.ask("admin", f"/settings/plugins/{plugin}/")
            self._forms[plugin] = Page(answer.content.decode())
        return self._forms[plugin].submit(**changes)

    def save(self, plugin: str, **changes: str | None) -> None:
        answer = self.ask("admin", f"/settings/plugins/{plugin}/configure/", self.form(plugin, **changes))
        assert answer.status_code == 302, self.responses[-1]
        del self._forms[plugin]

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


@contextmanager
def everything_logged() -> Iterator[Everything]:
    """Every logger at DEBUG, database queries too, heard by nobody else; as it was afterwards."""
    kept = Everything()
    kept.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    root = logging.getLogger()
    loggers = [root, *(each for each in logging.Logger.manager.loggerDict.values() if isinstance(each, logging.Logger))]
    before = [(each, each.level, each.propagate, each.handlers[:]) for each in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.propagate, logger.handlers = True, []
    root.addHandler(kept)
    try:
        yield kept
    finally:
        for logger, level, propagate, handlers in before:
            logger.setLevel(level)
            logger.propagate, logger.handlers = propagate, handlers


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
