"""What is done to a tenant whose secrets are planted: mistakes, tests, deliveries, crashes, commands, and every page there is."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import QueryDict
from django.test import override_settings

from plugin_framework import activation, hooks
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.models import Delivery, PluginSetting, PluginState, SettingsHistory
from plugin_framework.registry import registry
from plugin_framework.sdk import ErrorReport
from plugin_framework.tenancy import tenant_scope
from tenants import directory
from tests.dummies.indiscreet import MOODS
from tests.support.planted_secrets import LOUD, MAIL, SECRET_FIELDS, SLACK, Life
from tests.support.queue import work_off
from tests.support.routes import addresses

NAMES = (*SECRET_FIELDS, "orders")
TENANT = "saas.urls_tenant"
REPORT = ErrorReport("ValueError in views", "ValueError", "views:get:12", "/x/", "f" * 16, "2026-01-01T00:00:00Z")


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
    logging.getLogger("django.template").setLevel(
        logging.INFO
    )  # what it writes at DEBUG, every page's context, is seen by now
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
    """Open every address there is, as everybody; what a plugin has numbers for, with its own and with one that is not its own."""
    for role, urlconf in (("admin", TENANT), ("member", TENANT), ("nobody", TENANT)):
        open_all(life, role, addresses(urlconf, plugin=NAMES, int=["1"]))
    for role, urlconf in (("owner", TENANT), ("superadmin", "saas.urls_platform")):
        of_plugins = (addresses(urlconf, plugin=[name], int=numbers_of(life, name)) for name in NAMES)
        own = {path for name, paths in zip(NAMES, of_plugins, strict=True) for path in paths if f"/{name}/" in path}
        open_all(life, role, {*own, *addresses(urlconf, plugin=NAMES, int=["1"])})


def open_all(life: Life, role: str, paths: Iterable[str]) -> None:
    for path in sorted(paths):
        if not path.startswith("/accounts/logout"):  # or the rest would be asked by nobody
            life.ask(role, path)


def numbers_of(life: Life, plugin: str) -> list[str]:
    """A delivery of `plugin` in each state, and its newest saved settings."""
    with tenant_scope(life.acme):
        deliveries = Delivery.objects.filter(plugin=plugin).order_by("state", "id").distinct("state")
        revisions = SettingsHistory.objects.filter(plugin=plugin).order_by("-id")[:1]
        return [
            str(each)
            for each in (*deliveries.values_list("id", flat=True), *revisions.values_list("revision", flat=True))
        ]


CHAPTERS = (mistype, connect, deliver, crash, misbehave, command, browse)
