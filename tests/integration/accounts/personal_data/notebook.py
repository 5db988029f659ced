"""A plugin that keeps something of people, and what somebody leaves behind in the engine's own tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.db import connection
from django.test import Client

from plugin_framework.audit import Actor, record
from plugin_framework.models import Delivery, DeliveryAttempt
from plugin_framework.sdk import ConfigurablePlugin, Person
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import confirmed
from tenants.accounts.models import Invitation, User
from tests.conftest import Tenants

ADA, SHE = "ada@acme.example", "/settings/people/data/"


class Notebook(ConfigurablePlugin):
    """Keeps what it is told, and erases it, or fails."""

    name, version = "notebook", "1.0.0"
    keeps_of_people: ClassVar[str] = "The margin stays."
    stores: ClassVar[Sequence[str]] = ("notes about <people>",)
    asked: ClassVar[list[tuple[str, Person, str]]] = []
    failing: ClassVar[bool] = False

    def get_config_schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {}}

    def initialize(self, config: dict[str, Any]) -> None: ...
    def cleanup(self) -> None: ...

    def export_person(self, person: Person) -> Any:
        self.asked.append(("export", person, self.tenant.slug))
        if self.failing:
            raise RuntimeError("torn")
        return [{"note": f"about {person.emails[0]}"}]

    def erase_person(self, person: Person) -> int:
        self.asked.append(("erase", person, self.tenant.slug))
        if self.failing:
            raise RuntimeError("torn")
        return 1


def leave_traces(ref: TenantRef, user: User) -> None:
    """What somebody leaves behind in the engine's tables."""
    with tenant_scope(ref):
        record(Actor(ADA), "plugin.configured", "orders", to=ADA, longer=f"x{ADA}")
        record(Actor("admin@acme.example"), "person.invited", ADA)
        record(Actor(f"x{ADA}"), "person.removed", f"{ADA}.org")
        named = Delivery.objects.create(**delivery(1), payload=[f"mail to\n{ADA.upper()} please"], state="done")
        Delivery.objects.create(**delivery(2), payload=[{"deep": [{"pk": user.pk, "$model": "accounts.User"}]}])
        other = Delivery.objects.create(
            **delivery(3), payload=[{"pk": user.pk + 1, "$model": "accounts.User"}, f"x{ADA}s"]
        )
        for row, answer in ((named, "ok"), (other, "ok")):
            DeliveryAttempt.objects.create(
                delivery=row, number=1, started_at=row.created_at, outcome="done", answer=answer
            )
        Invitation.objects.create(
            email="eve@acme.example", token_hash="1", invited_by=ADA, expires_at="2099-01-01T00:00Z"
        )


def delivery(number: int) -> dict[str, Any]:
    uuid = f"00000000-0000-0000-0000-00000000000{number}"
    return {"event_id": uuid, "idempotency_key": uuid, "hook": "thing_done", "plugin": "notebook", "handler": "note"}


def numbers(tenants: Tenants, *wanted: int) -> list[int]:
    with tenant_scope(tenants.acme):
        keys = [delivery(number)["idempotency_key"] for number in wanted]
        return list(Delivery.objects.filter(idempotency_key__in=keys).values_list("pk", flat=True))


def everything_that_says(text: str) -> set[str]:
    """Words of any text column of the current tenant in which `text` stands."""
    found: set[str] = set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = current_schema() "
            "AND data_type IN ('text', 'character varying', 'jsonb')"
        )
        for table, column in cursor.fetchall():
            cursor.execute(f'SELECT "{column}"::text FROM "{table}" WHERE "{column}"::text ILIKE %s', [f"%{text}%"])
            found |= {
                word.strip('",{}[]') for (row,) in cursor.fetchall() for word in row.split() if text in word.lower()
            }
    return found


def client(client_for: Callable[..., Client], tenants: Tenants, user: User) -> Client:
    """Somebody of acme who has just typed their password."""
    return confirmed(client_for(tenants.acme, user))
