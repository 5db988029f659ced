"""The isolation storm: a web server with threads, a worker, receivers, and clients that ask many organisations at once."""

from __future__ import annotations

import json
import socket
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models.functions import Now

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.delivery.models import Schedule
from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import TenantRef, path_for, public_scope, tenant_scope
from saas.testing.receivers import PASSWORD, MailServer, WebhookServer
from saas.testing.waiting import wait_until
from saas.throttle.models import CacheEntry
from tenants import directory
from tenants.provisioning import create_tenant
from tests.faults.world import Started, World
from tests.isolation.storm.checker import Found, Histories, Post, answers, asked_of
from tests.isolation.storm.marks import MARK, marks
from tests.support.canaries import dump

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.isolation.storm.settings", "LOG_FORMAT": "json", "LOG_LEVEL": "INFO"}
# Shared on purpose: in the cache every key says whose it is, and the other is where the names of all organisations are.
_SHARED = {"public.tenantry_cache", "public.tenants_tenant"}


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done."""

    tenants: int
    clients: int
    requests: int
    sign_ups: int
    workers: int = 2
    threads: int = 8
    seed: int = 1


@dataclass(slots=True)
class Storm:
    """One storm. `planted`: the canaries by organisation."""

    world: World
    size: Size
    mail: MailServer
    hook: WebhookServer
    tenants: dict[str, TenantRef] = field(default_factory=dict)
    planted: dict[str, dict[str, str]] = field(default_factory=dict)
    servers: list[Started] = field(default_factory=list)

    def prepare(self) -> None:
        """Make the organisations, and plant."""
        refs = [*self.world.tenants]
        refs += [create_tenant(f"firm{n}x", f"Firm {n}", SYSTEM) for n in range(self.size.tenants - len(refs))]
        for ref in refs:
            self.tenants[ref.slug], self.planted[ref.slug] = ref, marks()
            with tenant_scope(ref):
                self._plant(self.planted[ref.slug], ref)

    def _plant(self, planted: dict[str, str], ref: TenantRef) -> None:
        get_user_model().objects.create_user(f"first@{ref.slug}.example", "x", name=planted["row"])
        open_settings = {place: canary for place, canary in planted.items() if place != "secret"}
        nosy = {**open_settings, "hook": f"{self.hook.url}?of={ref.slug}"}
        configuration.configure("nosy", SYSTEM, nosy, secrets={("secret",): planted["secret"]})
        configuration.configure("wary", SYSTEM, {"wary": planted["wary"]})
        words = {"sender": f"hello@{ref.slug}.example", "welcome_subject": f"Welcome {planted['mail']}"}
        mailing = {**self.mail.settings, **words}
        configuration.configure("email_notifications", SYSTEM, mailing, secrets={("password",): PASSWORD})
        for plugin in ("nosy", "wary", "email_notifications"):
            lifecycle.enable(plugin, SYSTEM)

    def run(self, listening: socket.socket, **environment: str) -> None:
        """Let the clients do all they should, and the worker deliver what came of it."""
        self._start_servers(listening, environment)
        with public_scope():
            Schedule.objects.filter(plugin="nosy").update(due_at=Now(), run_at=Now())  # whatever minute it is
        clients = self.world.run(
            "-m", "tests.isolation.storm.clients", str(self._write_plan(listening)), str(self.history)
        )
        assert clients.process.wait(timeout=7200) == 0, clients.text
        with public_scope():
            Schedule.objects.filter(plugin="nosy").delete()  # or there would be something to deliver every minute
        wait_until(self._settled, seconds=1800, what="all deliveries to end")
        for server in self.servers:
            server.stop()

    def _start_servers(self, listening: socket.socket, environment: dict[str, str]) -> None:
        number = listening.fileno()
        threads = ("--workers", str(self.size.workers), "--threads", str(self.size.threads))
        patience = ("--keep-alive", "75", "--timeout", "120", "--no-control-socket")
        gunicorn = ("-m", "gunicorn", "saas.wsgi", "--bind", f"fd://{number}", "--worker-class", "gthread", "--preload")
        own = ("--logger-class", "saas.gunicorn_logs.Logger")
        every = {**SETTINGS, "MEDIA_ROOT": str(self.media), **environment}
        self.servers = [
            self.world.run(*gunicorn, *threads, *patience, *own, inherits=(number,), **every),
            self.world.run("manage.py", "worker", "--children", "2", "--poll", "0.2", **every),
        ]

    def _write_plan(self, listening: socket.socket) -> Path:
        size = self.size
        plan = {
            "port": listening.getsockname()[1],
            "clients": size.clients,
            "requests": size.requests,
            "sign_ups": size.sign_ups,
            "seed": size.seed,
            "tenants": [
                {"slug": ref.slug, "host": ref.host, "row": self.planted[ref.slug]["row"]}
                for ref in self.tenants.values()
            ],
        }
        path = self.world.folder / "plan.json"
        path.write_text(json.dumps(plan))
        return path

    @property
    def media(self) -> Path:
        """Where the organisations' files are kept."""
        return self.world.folder / "media"

    @property
    def history(self) -> Path:
        """What the clients write."""
        return self.world.folder / "clients.jsonl"

    def _settled(self) -> bool:
        with public_scope(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM public.delivery_wake LIMIT 1")
            if cursor.fetchone():
                return False
            cursor.execute("SELECT 1 FROM public.delivery_lane WHERE next_at IS NOT NULL LIMIT 1")
            return cursor.fetchone() is None

    def histories(self) -> Histories:
        """All that was written down, said and stored."""
        lines = [json.loads(line) for line in self.history.read_text().splitlines()]
        owners = {canary: slug for slug, places in self.planted.items() for canary in places.values()}
        owners |= {line["mark"]: line["new"] for line in lines if "mark" in line}
        for line in lines:
            if "new" in line and (entry := directory.by_slug(line["new"])):
                self.tenants[line["new"]] = entry.ref
        paths = {slug: path_for(ref.schema) for slug, ref in self.tenants.items()}
        found = (*self._mails(), *self._log_lines(), *self._stored(), *self._files())
        return Histories(owners, paths, tuple(asked_of(lines)), tuple(self._posts()), found)

    def _posts(self) -> Iterator[Post]:
        for post in self.hook.posts:
            yield Post(post.path.rpartition("of=")[2], post.body, post.body.get("number") or "")

    def _mails(self) -> Iterator[Found]:
        """Whose it is, is the recipient's domain."""
        for mail in self.mail.mails:
            (recipient,) = mail.recipients
            slug = recipient.partition("@")[2].removesuffix(".example")
            yield Found(f"mail to {recipient}", slug, f"{mail.sender}\n{mail.raw.decode()}\n{mail.part('plain')}")

    def _log_lines(self) -> Iterator[Found]:
        """Each line of the processes says whose it is."""
        for server in self.servers:
            for line in server.text.splitlines():
                if MARK.search(line):
                    tenant = json.loads(line)["tenant"] if line.startswith("{") else ""
                    yield Found(f"log line {line[:300]}", tenant, line)

    def _stored(self) -> Iterator[Found]:
        """Every row of every table; of the cache, which all share, every key says whose it is."""
        slugs = {ref.schema: slug for slug, ref in self.tenants.items()}
        for table, text in dump():
            if table not in _SHARED:
                yield Found(f"table {table}", slugs.get(table.partition(".")[0].strip('"'), ""), text)
        with public_scope():
            for key, value in CacheEntry.objects.values_list("cache_key", "value"):
                text = f"{key} {b64decode(value).decode('latin-1')}"
                yield Found(f"cache entry {key}", slugs.get(key.partition(":")[0], ""), text)

    def _files(self) -> Iterator[Found]:
        """Each organisation's are in a folder of its own."""
        slugs = {ref.schema: slug for slug, ref in self.tenants.items()}
        for path in self.media.rglob("*"):
            if path.is_file():
                where = path.relative_to(self.media)
                yield Found(f"file {where}", slugs.get(where.parts[0], ""), f"{where} {path.read_text()}")


def count(counted: Callable[[str, int], None], storm: Storm, run: Histories) -> None:
    """Tell the report what was done, after nothing was found wrong."""
    kinds = Counter(asked.kind for asked in run.asked)
    every = [asked.text for asked in run.asked] + [found.text for found in run.found]
    every += [json.dumps(dict(post.seen)) for post in run.posts]
    seen = [canary for text in every for canary in MARK.findall(text)]
    counted("organisations", storm.size.tenants)
    counted("clients at once", storm.size.clients)
    counted("requests", len(run.asked))
    counted("of these broken off by their client", sum(asked.cut for asked in run.asked))
    counted("answers that say what was seen from inside", sum(len(answers(asked)) for asked in run.asked))
    counted("sign-ups meanwhile", kinds["signup"])
    counted("plugins switched on or off", kinds["enable"] + kinds["disable"])
    counted(
        "rolled back, whole or to a savepoint",
        kinds["rollback"] + kinds["unsay"] + kinds["raise"] + 3 * kinds["savepoints"],
    )
    counted("mails", len(storm.mail.mails))
    counted("posts of events", sum(bool(post.number) for post in run.posts))
    counted("posts of jobs", sum(not post.number for post in run.posts))
    counted("log lines with a canary", sum(found.where.startswith("log") for found in run.found))
    counted("cache entries", sum(found.where.startswith("cache") for found in run.found))
    counted("files", sum(found.where.startswith("file") for found in run.found))
    counted("canaries seen", len(seen))
    counted("different canaries seen", len(set(seen)))
    counted("foreign canaries", 0)
    counted("wrong search_paths", 0)


def enough(storm: Storm, run: Histories) -> list[str]:
    """What the storm did not do, so that finding nothing wrong would prove nothing."""
    statuses = Counter((asked.kind, asked.status) for asked in run.asked)
    posts = Counter(bool(post.number) for post in run.posts)
    with public_scope():
        cached = CacheEntry.objects.count()
    rows = sum(_kept(ref) for ref in storm.tenants.values())
    done = {
        "pages of the plugin that comes and goes": statuses["wary", 200],
        "and its absence": statuses["wary", 404],
        "sign-ups": statuses["dashboard", 200],
        "mails": len(storm.mail.mails),
        "events": posts[True],
        "jobs": posts[False],
        "cache entries": cached,
        "rows kept": rows,
        "errors": statuses["raise", 500],
        "broken off": sum(asked.cut for asked in run.asked),
        "sessions found again": sum(
            answer.get("found") is not None for asked in run.asked for answer in answers(asked)
        ),
        "cached values found again": sum(
            answer["cached"][0] is not None for asked in run.asked for answer in answers(asked) if "cached" in answer
        ),
        "files found again": sum(answer.get("there", False) for asked in run.asked for answer in answers(asked)),
        "and files of others not": sum(
            answer.get("there") is False for asked in run.asked for answer in answers(asked)
        ),
        "log lines": sum(found.where.startswith("log") for found in run.found),
    }
    return [what for what, number in done.items() if not number]


def _kept(ref: TenantRef) -> int:
    with tenant_scope(ref):
        return AuditEntry.objects.filter(action="storm.kept").count()
