"""One person's data: all of it handed out, all of it erased, nobody else's touched."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

import pytest
from django.test import Client

from plugin_framework import hooks, lifecycle
from plugin_framework.audit import SYSTEM, Actor
from plugin_framework.delivery import sample
from plugin_framework.models import AuditEntry, Delivery, DeliveryAttempt
from plugin_framework.sdk import Person, hook
from plugin_framework.tenancy import tenant_scope
from tenants.accounts import personal_data
from tenants.accounts.models import Device, Invitation, User
from tests.conftest import Tenants
from tests.dummies import pages
from tests.integration.accounts.personal_data.notebook import (
    ADA,
    SHE,
    Notebook,
    everything_that_says,
    leave_traces,
    numbers,
)


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


def test_an_event_after_the_erasure_is_not_about_anybody(tenants: Tenants, staff: dict[str, User]) -> None:
    with tenant_scope(tenants.acme):
        hooks.emit("user_logged_in", staff["ada"])
        personal_data.erase(personal_data.person_of(staff["ada"]), Actor("x"), by=staff["admin"], confirmation=ADA)
        assert not Delivery.objects.filter(hook="user_logged_in").exists()
