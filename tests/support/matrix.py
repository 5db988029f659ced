"""What the route matrix is made of: the table of who may do what, every route there is, and an organisation with one of everything."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from typing import Any

from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.urls import URLPattern, URLResolver
from django.utils import timezone

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM, record
from plugin_framework.models import Delivery, DeliveryAttempt, SettingsHistory
from plugin_framework.sdk import seal
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing import source
from tenants.accounts.models import Device, Invitation, User

TABLE = Path(__file__).resolve().parents[1] / "isolation" / "routes.txt"
ROLES = ("anyone", "member", "admin", "owner")
URLCONFS = {"public": "saas.urls_public", "tenant": "saas.urls_tenant", "platform": "saas.urls_platform"}
OF_TESTS = ("/apps/canary/", "/apps/gated/", "/apps/gated-")  # plugins that only tests have
FIRST_FOREIGN = 700_001
NOBODYS = 999_999


@dataclass(frozen=True)
class Row:
    """A line of the table: the weakest role that may see, and that may send; "-": nobody. `loose`: by some other methods too."""

    host: str
    see: str
    send: str
    route: str
    loose: bool = False

    @classmethod
    def of(cls, line: str) -> Row:
        """The row that a line says."""
        host, see, send, route = line.split()
        return cls(host, see, send.removesuffix("*"), route, send.endswith("*"))

    def needed(self, method: str) -> str:
        """The weakest role for `method`."""
        if method in ("GET", "HEAD"):
            return self.see
        return self.send if method == "POST" or self.loose else "-"

    @property
    def weakest(self) -> str:
        """The weakest role that gets anything at all."""
        return min((role for role in (self.see, self.send) if role != "-"), key=ROLES.index)


def table() -> dict[tuple[str, str], Row]:
    """The table, by host and route."""
    lines = (line for line in TABLE.read_text("utf-8").splitlines() if line and not line.startswith("#"))
    return {(row.host, row.route): row for row in map(Row.of, lines)}


def routes() -> set[tuple[str, str]]:
    """Every route there is: its host, and its pattern from the root on."""
    found = {(host, route) for host, name in URLCONFS.items() for route in _walk(import_module(name).urlpatterns, "/")}
    return {(host, route) for host, route in found if not route.startswith(OF_TESTS)}


def _walk(patterns: Any, prefix: str) -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


@dataclass(frozen=True)
class Furnished:
    """An organisation with one of everything, all of it marked; `ids` by the beginning of the routes that take them."""

    ref: TenantRef
    mark: str
    ids: Mapping[str, str]


def furnish(ref: TenantRef, *, foreign: bool) -> Furnished:
    """Fill `ref`; a `foreign` one counts its rows from far away, so that none has an id that the other has too."""
    mark = f"mark{token_hex(12)}"
    with tenant_scope(ref):
        for name, config in {
            "orders": {},
            "invoices": {"seller_address": mark},
            "announcements": {},
            "usage_analytics": {},
            "webhooks": {},
        }.items():
            configuration.configure(name, SYSTEM, config)
            lifecycle.enable(name, SYSTEM)
        if foreign:
            _count_from(ref.schema, FIRST_FOREIGN)
        return Furnished(ref, mark, {**_people(mark), **_engine(mark), **_plugins(mark)})


def _count_from(schema: str, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = %s", [schema])
        for (name,) in cursor.fetchall():
            cursor.execute(f'ALTER SEQUENCE "{schema}"."{name}" RESTART WITH {number}')


def _people(mark: str) -> dict[str, str]:
    user = User.objects.create_user(f"{mark}@example.com", name=mark)
    expires = timezone.now() + datetime.timedelta(days=1)
    invited = Invitation.objects.create(
        email=f"i{mark}@example.com", token_hash=mark, invited_by=mark, expires_at=expires
    )
    record(SYSTEM, "person.invited", mark)
    file = default_storage.save("orders/x.txt", ContentFile(mark.encode()))
    device = Device.objects.create(user=user, session_key=mark, user_agent=mark)
    ids = {"/settings/people/invitations/": invited.pk, "/settings/people/": user.pk, "/account/sessions/": device.pk}
    return {**{start: str(pk) for start, pk in ids.items()}, "/files/": file}


def _engine(mark: str) -> dict[str, str]:
    row = Delivery.objects.create(
        event_id=uuid.uuid4(), hook="order_confirmed", plugin="orders", handler=mark, payload={"args": []},
        idempotency_key=uuid.uuid4(), state="dead", attempts=1, last_error=mark,
    )  # fmt: skip
    DeliveryAttempt.objects.create(delivery=row, number=1, started_at=timezone.now(), outcome="failed", error=mark)
    saved = SettingsHistory.objects.filter(plugin="invoices").latest("pk")
    of_plugin = "/settings/plugins/<plugin:name>/"
    return {f"{of_plugin}deliveries/": str(row.pk), f"{of_plugin}history/": str(saved.revision)}


def _plugins(mark: str) -> dict[str, str]:
    now, today = timezone.now(), timezone.localdate()
    order = _model("orders_plugin", "Order").create(customer_name=mark, customer_email="a@b.example")
    money = {"total": 1, "tax": 0, "tax_rate": 0, "currency": "EUR"}
    invoice = _model("invoices_plugin", "Invoice").create(
        number=order.pk, label=mark, order_number=order.pk, order_confirmed_at=now, customer_name=mark, tax_name="VAT",
        seller_name=mark, seller_address=mark, issued_on=today, due_on=today, **money,
    )  # fmt: skip
    told = _model("announcements_plugin", "Announcement").create(title=mark)
    secret = seal("webhooks", "signing", mark)
    endpoint = _model("webhooks_plugin", "Endpoint").create(
        url=f"https://{mark}.example/", description=mark, secret=secret
    )
    made = {"orders": order, "invoices": invoice, "announcements": told, "webhooks": endpoint}
    return {f"/apps/{name}/": str(row.pk) for name, row in made.items()}


def _model(label: str, name: str) -> Any:
    return apps.get_model(label, name)._default_manager


def addresses(route: str, own: Furnished, foreign: Furnished) -> dict[str, str]:
    """The addresses of a route: with an id of one's `own`, a `foreign` one, and `nobodys`; one alone where it takes none."""
    if route.startswith("/accounts/^"):
        return {"own": "/accounts/password/reset/key/1-x/"}
    if "<" not in route:
        return {"own": route}
    ends = {"own": _id(own, route), "foreign": _id(foreign, route), "nobodys": str(NOBODYS)}
    plugin = "invoices" if "/history/" in route else "orders"
    filled = {}
    for kind, value in ends.items():
        if value is None:  # it takes a plugin's name or a slug alone, which all organisations have in common
            known = kind != "nobodys"
            value, plugin = ("acme", plugin) if known else ("nobody", "nonesuch")
        path = route.replace("<plugin:name>", plugin).replace("<slug:slug>", value).replace("<path:name>", value)
        for parameter in ("<int:number>", "<int:pk>", "<int:revision>"):
            path = path.replace(parameter, value)
        filled[kind] = path
    return {"own": filled["own"], "nobodys": filled["nobodys"]} if filled["own"] == filled["foreign"] else filled


def _id(where: Furnished, route: str) -> str | None:
    if "<int:" not in route and "<path:" not in route:
        return None
    found = [start for start in where.ids if route.startswith(start)]
    return where.ids[max(found, key=len)] if found else str(NOBODYS)


def fingerprint(schema: str) -> tuple[Any, ...]:
    """How many rows the schema's tables have, and the youngest transaction that has written one: changes with any change."""
    with connection.cursor() as cursor:
        cursor.execute(_every_table(schema))
        return tuple(cursor.fetchone())


@cache
def _every_table(schema: str) -> str:
    one = 'SELECT count(*) AS n, coalesce(max(xmin::text::bigint), 0) AS x FROM "{}"."{}"'
    every = " UNION ALL ".join(one.format(schema, name) for name in sorted(source.tables(schema)))
    return f"SELECT sum(n), max(x) FROM ({every}) AS t"
