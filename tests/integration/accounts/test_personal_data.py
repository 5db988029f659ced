"""One person's data: all of it handed out, all of it erased, nobody else's touched."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, ClassVar

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from plugin_framework import configuration, hooks, lifecycle
from plugin_framework.audit import SYSTEM, Actor, record
from plugin_framework.delivery import sample
from plugin_framework.models import AuditEntry, Delivery, DeliveryAttempt, PluginState
from plugin_framework.registry import registry
from plugin_framework.sdk import ConfigurablePlugin, Person, hook
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import confirmed, person
from tenants.accounts import people, personal_data
from tenants.accounts.models import Device, Invitation, User
from tests.conftest import Tenants
from tests.dummies import pages

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


@pytest.fixture
def notebook(tenants: Tenants) -> Iterator[type[Notebook]]:
    """Enabled in acme, and in the registry for this test."""
    Notebook.asked, Notebook.failing = [], False
    with pages.installed(Notebook):
        with tenant_scope(tenants.acme):
            lifecycle.enable("notebook", SYSTEM)
        yield Notebook


@pytest.fixture
def staff(tenants: Tenants) -> dict[str, User]:
    """An owner, an admin, and Ada, a member; and an Ada next door."""
    person(tenants.globex, "owner", ADA)
    return {
        "owner": person(tenants.acme, "owner"),
        "admin": person(tenants.acme, "admin"),
        "ada": person(tenants.acme, "member", ADA),
    }


def client(client_for: Callable[..., Client], tenants: Tenants, user: User) -> Client:
    return confirmed(client_for(tenants.acme, user))


@pytest.fixture
def admin(tenants: Tenants, staff: dict[str, User], client_for: Callable[..., Client]) -> Client:
    return client(client_for, tenants, staff["admin"])


@pytest.fixture
def ada(tenants: Tenants, staff: dict[str, User], client_for: Callable[..., Client]) -> Client:
    found = client_for(tenants.acme, staff["ada"])
    found.defaults["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
    return confirmed(found)


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


def test_an_admin_sees_and_downloads_all_that_is_kept(
    admin: Client, ada: Client, tenants: Tenants, staff: dict[str, User], notebook: type[Notebook]
) -> None:
    leave_traces(tenants.acme, staff["ada"])
    ada.get("/")
    page = admin.get(SHE, {"email": "ADA@acme.example"})
    assert "<td>2 events</td>" in page.text
    assert "The margin stays." in page.text
    answer = admin.post(f"{SHE}export/", {"email": ADA})
    assert answer["Content-Disposition"].startswith('attachment; filename="personal-data-')
    found = json.loads(answer.content)
    assert found["account"]["email"] == ADA
    assert [each["user_agent"][-12:] for each in found["devices"]] == ["Firefox/140.0"[-12:]]
    assert {each["number"] for each in found["deliveries"]} == set(numbers(tenants, 1, 2))
    assert {each["what"] for each in found["audit_log"]} >= {"plugin.configured", "person.invited", "person.exported"}
    assert found["plugins"] == {"notebook": [{"note": f"about {ADA}"}]}
    assert notebook.asked[-1] == ("export", Person((ADA,), staff["ada"].pk), "acme")
    assert not {f"x{ADA}s", f"{ADA}.org", "globex"} & set(re.split(r'[\s",]+', answer.text))


def numbers(tenants: Tenants, *wanted: int) -> list[int]:
    with tenant_scope(tenants.acme):
        keys = [delivery(number)["idempotency_key"] for number in wanted]
        return list(Delivery.objects.filter(idempotency_key__in=keys).values_list("pk", flat=True))


def test_erasing_leaves_no_trace_of_them_and_every_trace_of_the_others(
    admin: Client, ada: Client, tenants: Tenants, staff: dict[str, User], notebook: type[Notebook]
) -> None:
    leave_traces(tenants.acme, staff["ada"])
    assert ada.get("/").status_code == 200
    answer = admin.post(f"{SHE}erase/", {"email": ADA, "confirmation": "Ada@acme.example"})
    assert answer.status_code == 200
    assert "2 deliveries about them" in answer.text
    assert ada.get("/")["Location"].startswith("/accounts/login/")
    with tenant_scope(tenants.acme):
        assert not User.objects.filter(email=ADA).exists()
        assert not Device.objects.filter(user_id=staff["ada"].pk).exists()
        assert numbers(tenants, 1, 2) == []
        assert len(numbers(tenants, 3)) == DeliveryAttempt.objects.count() == 1
        entry = AuditEntry.objects.get(action="person.erased")
        assert entry.target.startswith("erased person ")
        assert (entry.actor, entry.detail) == ("admin@acme.example", {"rows": 1, "deliveries": 2})
        own = AuditEntry.objects.get(action="plugin.configured")
        assert (own.actor, own.detail) == (entry.target, {"to": entry.target, "longer": f"x{ADA}"})
        assert AuditEntry.objects.get(action="person.invited").target == entry.target
        assert Invitation.objects.get().invited_by == entry.target
        assert everything_that_says(ADA) == {f"x{ADA}", f"x{ADA}s", f"{ADA}.org"}  # other people's addresses
        assert User.objects.count() == 2
    assert notebook.asked[-1][0] == "erase"
    with tenant_scope(tenants.globex):
        assert User.objects.filter(email=ADA).exists()


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


def test_a_disabled_plugins_data_is_handed_out_and_erased_too(
    admin: Client, tenants: Tenants, notebook: type[Notebook]
) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.disable("notebook", SYSTEM)
    assert json.loads(admin.post(f"{SHE}export/", {"email": ADA}).content)["plugins"]
    admin.post(f"{SHE}erase/", {"email": ADA, "confirmation": ADA})
    assert [what for what, _, _ in notebook.asked].count("erase") == 1


def test_a_plugin_that_fails_does_not_hide_the_others_parts_and_stops_an_erasure(
    admin: Client, tenants: Tenants, notebook: type[Notebook]
) -> None:
    notebook.failing = True
    assert "It failed at putting this together." in admin.get(SHE, {"email": ADA, "count": ""}).text
    found = json.loads(admin.post(f"{SHE}export/", {"email": ADA}).content)
    assert (found["account"]["email"], list(found["could_not_be_asked"])) == (ADA, ["notebook"])
    answer = admin.post(f"{SHE}erase/", {"email": ADA, "confirmation": ADA})
    assert (answer.status_code, "Notebook failed at erasing its part" in answer.text) == (409, True)
    with tenant_scope(tenants.acme):
        assert User.objects.filter(email=ADA).exists()
        assert not AuditEntry.objects.filter(action="person.erased").exists()


def test_what_a_missing_plugin_keeps_is_named_and_not_claimed_to_be_erased(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        PluginState.objects.create(plugin="vanished", version="1.0", tables=["vanished_thing"])
    assert "vanished" not in registry.specs
    assert "erase again when the plugin is back" in admin.get(SHE, {"email": ADA}).text
    assert "vanished" in json.loads(admin.post(f"{SHE}export/", {"email": ADA}).content)["could_not_be_asked"]
    assert "vanished" in admin.post(f"{SHE}erase/", {"email": ADA, "confirmation": ADA}).text
    with tenant_scope(tenants.acme):
        assert AuditEntry.objects.get(action="person.erased").detail["not_asked"] == ["vanished"]


@pytest.mark.parametrize("confirmation", ["", "admin@acme.example", "ada@", "\x00"])
def test_nothing_is_erased_without_the_address_typed(admin: Client, tenants: Tenants, confirmation: str) -> None:
    answer = admin.post(f"{SHE}erase/", {"email": ADA, "confirmation": confirmation})
    assert (answer.status_code, f"Type {ADA} to erase" in answer.text) == (409, True)
    with tenant_scope(tenants.acme):
        assert User.objects.filter(email=ADA).exists()


class Listener(Notebook):
    """Hears of people, and of orders."""

    name = "listener"
    asked: ClassVar[list[tuple[str, Person, str]]] = []
    failing: ClassVar[bool] = False

    @hook("user_registered")
    def registered(self, user: Any) -> None: ...

    @hook("order_confirmed")
    def confirmed(self, order: Any) -> None: ...


@pytest.mark.parametrize("event", ["user_registered", "order_confirmed"])
def test_samples_that_she_had_sent_about_herself_go_and_those_of_others_stay(
    admin: Client, tenants: Tenants, staff: dict[str, User], event: str
) -> None:
    with pages.installed(Listener), tenant_scope(tenants.acme):
        for name in ("orders", "listener"):
            lifecycle.enable(name, SYSTEM)
        hers, others = (
            sample.send("listener", event, Actor(each.email), each) for each in (staff["ada"], staff["owner"])
        )
        for row in (*hers, *others):
            DeliveryAttempt.objects.create(delivery=row, number=1, started_at=row.created_at, outcome="done")
        found = json.loads(admin.post(f"{SHE}export/", {"email": ADA}).content)["deliveries"]
        assert [(each["number"], each["event"]) for each in found] == [(row.pk, event) for row in hers]
        assert "Erased" in admin.post(f"{SHE}erase/", {"email": ADA, "confirmation": ADA}).text
        left = Delivery.objects.filter(sample=True)
        assert list(left) == others
        assert list(DeliveryAttempt.objects.values_list("delivery", flat=True)) == [row.pk for row in others]
        assert ADA not in str(list(left.values())) + str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("email", ["", "nobody", "a\x00b@acme.example", "x" * 300 + "@acme.example"])
def test_an_address_of_garbage_is_asked_for_again(admin: Client, email: str) -> None:
    for answer in (
        admin.get(SHE, {"email": email}),
        admin.post(f"{SHE}export/", {"email": email}),
        admin.post(f"{SHE}erase/", {"email": email, "confirmation": email}),
    ):
        assert (answer.status_code, bool(answer.context["form"].errors)) == (400, True)


def test_a_person_takes_their_own_data_and_goes(ada: Client, tenants: Tenants, staff: dict[str, User]) -> None:
    assert "ada@acme.example" in ada.get("/account/data/").text
    assert json.loads(ada.post("/account/data/export/").content)["account"]["email"] == ADA
    assert ada.post("/account/data/erase/", {"confirmation": "admin@acme.example"}).status_code == 409
    assert "Your account is gone" in ada.post("/account/data/erase/", {"confirmation": ADA}).text
    assert ada.get("/account/data/").status_code == 302
    with tenant_scope(tenants.acme):
        assert not User.objects.filter(pk=staff["ada"].pk).exists()
        entry = AuditEntry.objects.get(action="person.erased")
        assert entry.actor == entry.target


@pytest.mark.parametrize("whose", ["one's own", "somebody's", "a customer's"])
def test_plugins_are_named_on_the_page_and_asked_when_somebody_wants_it_counted(
    ada: Client, admin: Client, tenants: Tenants, notebook: type[Notebook], whose: str
) -> None:
    with tenant_scope(tenants.acme):
        for name in ("orders", "usage_analytics"):
            lifecycle.enable(name, SYSTEM)
    email = "bob@shop.example" if whose == "a customer's" else ADA
    client, path = (ada, "/account/data/") if whose == "one's own" else (admin, f"{SHE}?email={email}")
    page = client.get(path)
    assert "notes about &lt;people&gt;" in page.text
    assert "The margin stays." in page.text
    assert notebook.asked == []
    named = [part.plugin for part in page.context["held"].parts]
    assert named == ["notebook", "orders"]  # and not those that say nothing of people
    counted = client.get(page.context["count_url"])
    assert "<td>1 item</td>" in counted.text
    assert [what for what, _, _ in notebook.asked] == ["export"]
    assert named == [part.plugin for part in counted.context["parts"]]
    assert counted.context["next_url"] == counted.context["first_url"] == ""
    assert client.get(counted.context["back_url"]).context["email"] == email


@pytest.mark.parametrize("whose", ["one's own", "somebody's", "a customer's"])
def test_with_a_hundred_plugins_half_of_them_missing_each_page_stays_below_twenty_queries_and_all_are_counted_in_the_end(
    ada: Client, admin: Client, tenants: Tenants, staff: dict[str, User], whose: str
) -> None:
    names, gone = ([f"{word}_{number:02}" for number in range(50)] for word in ("book", "gone"))
    books: list[type[Notebook]] = [type(name, (Curious,), {"name": name}) for name in names]
    leave_traces(tenants.acme, staff["ada"])
    email = "bob@shop.example" if whose == "a customer's" else ADA
    client, path = (ada, "/account/data/") if whose == "one's own" else (admin, f"{SHE}?email={email}")
    with pages.installed(*books):
        with tenant_scope(tenants.acme):
            PluginState.objects.bulk_create(PluginState(plugin=name, version="1.0.0") for name in [*names, *gone])
        client.get(path)  # what is read once
        page, seen = _measured(client, path), []
        assert [part.plugin for part in page.context["held"].parts] == [*names, *gone]
        following = page.context["count_url"]
        while following:
            page = _measured(client, following)
            seen += [(part.plugin, part.count) for part in page.context["parts"]]
            following = page.context["next_url"]
        assert seen == [(name, 1) for name in names] + [(name, 0) for name in gone]
        assert client.get(page.context["first_url"]).context["parts"][0].plugin == names[0]


class Curious(Notebook):
    """Asks the database, like any plugin that keeps something of people."""

    def export_person(self, person: Person) -> Any:
        return [{"people": User.objects.filter(email="admin@acme.example").count()}]


def _measured(client: Client, path: str) -> Any:
    with CaptureQueriesContext(connection) as queries:
        page = client.get(path)
    assert page.status_code == 200
    assert len(queries) < 20, "\n".join(each["sql"][:120] for each in queries.captured_queries)
    return page


def test_a_member_gets_nobody_elses(ada: Client, tenants: Tenants) -> None:
    assert ada.get(SHE, {"email": "admin@acme.example"}).status_code == 403
    for action in ("export", "erase"):
        form = {"email": "admin@acme.example", "confirmation": "admin@acme.example"}
        assert ada.post(f"{SHE}{action}/", form).status_code == 403
        assert ada.post(f"/account/data/{action}/", form).status_code in (200, 409)
    with tenant_scope(tenants.acme):
        assert User.objects.filter(email="admin@acme.example").exists()


def test_the_neighbours_people_are_nobody_here(admin: Client, tenants: Tenants) -> None:
    theirs = person(tenants.globex, "owner", "gus@globex.example")
    leave = {"email": "gus@globex.example", "confirmation": "gus@globex.example"}
    assert "Nothing is kept under this address" in admin.get(SHE, leave).text
    assert json.loads(admin.post(f"{SHE}export/", leave).content)["account"] is None
    admin.post(f"{SHE}erase/", leave)
    with tenant_scope(tenants.globex):
        assert User.objects.filter(pk=theirs.pk).exists()
        assert not AuditEntry.objects.filter(action__startswith="person.e").exists()


def test_an_admin_does_not_erase_an_owner_and_the_last_owner_not_themselves(
    admin: Client, tenants: Tenants, staff: dict[str, User], client_for: Callable[..., Client]
) -> None:
    owner = client(client_for, tenants, staff["owner"])
    theirs = {"email": "owner@acme.example", "confirmation": "owner@acme.example"}
    assert "whose data only an owner can erase" in admin.get(SHE, theirs).text
    assert "Only an owner can remove an owner" in admin.post(f"{SHE}erase/", theirs).text
    assert "last owner" in owner.post("/account/data/erase/", theirs).text
    assert "last owner" in owner.post(f"{SHE}erase/", theirs).text
    with tenant_scope(tenants.acme):
        assert User.objects.filter(pk=staff["owner"].pk).exists()


def test_a_customer_without_an_account_is_erased_from_orders_and_invoices(admin: Client, tenants: Tenants) -> None:
    from plugins.invoices_plugin.models import Invoice
    from plugins.orders_plugin.models import Order

    with tenant_scope(tenants.acme):
        configuration.configure("invoices", SYSTEM, {"seller_address": "1 Road"})
        lifecycle.enable("invoices", SYSTEM)
        bob = {"customer_name": "Bob", "customer_email": "Bob@shop.example", "note": "likes blue"}
        Order.objects.create(**bob, state="confirmed")
        Order.objects.create(**bob)
        Order.objects.create(customer_name="Eve", customer_email="eve@shop.example")
        Invoice.objects.create(
            **{"number": 1, "label": "1", "order_number": 1, "order_confirmed_at": "2026-01-01T00:00Z", "tax_name": ""},
            **{"customer_name": "Bob", "customer_email": "bob@shop.example", "currency": "EUR", "total": 1, "tax": 0},
            **{
                "tax_rate": 0,
                "seller_name": "",
                "seller_address": "",
                "issued_on": "2026-01-01",
                "due_on": "2026-02-01",
            },
        )
        lifecycle.disable("invoices", SYSTEM)
    bobs = {"email": "bob@shop.example", "confirmation": "bob@shop.example"}
    found = json.loads(admin.post(f"{SHE}export/", bobs).content)["plugins"]
    assert (len(found["orders"]["orders"]), len(found["invoices"]["invoices"])) == (2, 1)
    admin.post(f"{SHE}erase/", bobs)
    with tenant_scope(tenants.acme):
        rows = list(Order.objects.order_by("pk").values_list("customer_name", "customer_email", "note"))
        assert rows == [("Erased customer", "", ""), ("Eve", "eve@shop.example", "")]
        assert Invoice.objects.get().customer_email == ""
        assert Invoice.objects.get().customer_name == "Bob"
        assert not AuditEntry.objects.filter(target="bob@shop.example").exists()


def test_an_unproven_address_gives_nobody_anothers_data(ada: Client, tenants: Tenants, staff: dict[str, User]) -> None:
    with tenant_scope(tenants.acme):
        staff["ada"].emailaddress_set.create(email="admin@acme.example", verified=False, primary=False)  # type: ignore[attr-defined]  # allauth's
        record(Actor("admin@acme.example"), "plugin.enabled", "x")
    found = json.loads(ada.post("/account/data/export/").content)
    assert {each["email"] for each in found.pop("addresses")} == {"admin@acme.example"}
    assert "admin@acme.example" not in json.dumps(found)


@pytest.mark.parametrize("whom", ["each other", "themselves"])
@pytest.mark.usefixtures("committed_db")
def test_of_two_owners_who_erase_at_once_one_stays(tenants: Tenants, whom: str) -> None:
    for round_ in range(4):
        one, two = (person(tenants.acme, "owner", f"{name}{round_}@acme.example") for name in ("one", "two"))
        start = Barrier(2)

        def run(by: User, other: User, start: Barrier = start) -> bool:
            try:
                with tenant_scope(tenants.acme):
                    connection.ensure_connection()
                    start.wait(30)
                    erased = personal_data.person_of(other)
                    personal_data.erase(erased, Actor(by.email), by=by, confirmation=other.email)
                    return True
            except people.NotPossible:
                return False
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(run, (one, two), (two, one) if whom == "each other" else (one, two)))
        assert sorted(outcomes) == [False, True]
        with tenant_scope(tenants.acme):
            assert User.objects.filter(role="owner").count() == 1
            User.objects.all().delete()


def test_an_event_after_the_erasure_is_not_about_anybody(tenants: Tenants, staff: dict[str, User]) -> None:
    with tenant_scope(tenants.acme):
        hooks.emit("user_logged_in", staff["ada"])
        personal_data.erase(personal_data.person_of(staff["ada"]), Actor("x"), by=staff["admin"], confirmation=ADA)
        assert not Delivery.objects.filter(hook="user_logged_in").exists()
