"""What people see of a plan's limits: before one bites, when it does, and in the console."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client, override_settings

from plugin_framework import metrics, quotas
from plugin_framework.catalog import plans
from plugin_framework.catalog.plans import Limits, PlanError
from plugin_framework.delivery import rows
from plugin_framework.metrics.names import REFUSED
from plugin_framework.models import AuditEntry, Delivery
from plugin_framework.tenancy import tenant_scope
from saas.testing.people import PASSWORD, person
from saas.watch import exposition
from tenants.accounts.models import Invitation, User
from tests.conftest import Tenants
from tests.support.plans import limit

ADA = {"name": "Ada", "email": "ada@acme.example", "password": PASSWORD}


def text(answer: Any) -> str:
    return str(answer.content.decode())


def fill(tenants: Tenants, people: int, deliveries: int = 0) -> None:
    """So many people in acme, besides its owner, and so many deliveries today."""
    for number in range(people):
        person(tenants.acme, "member", f"p{number}@acme.example")
    rows.count(tenants.acme.schema, deliveries)


def test_the_plan_page_shows_each_limit_what_is_used_and_what_happens_then(owner: Client, tenants: Tenants) -> None:
    fill(tenants, 7, deliveries=1200)
    limit(tenants.acme, people=10, deliveries=1000)
    page = text(owner.get("/settings/plan/"))
    assert "Plan: Small" in page
    assert "No limit" not in page, "said once, beside the amount"
    for words in ("8 of 10", "80 % used, 2 left", "1,200 of 1,000", "Over the limit by 200", "begins again"):
        assert words in page
    assert '<progress class="usage-bar" value="8" max="10"' in page
    assert '<progress class="usage-bar" value="1000" max="1000"' in page
    assert re.search(r"[1-9][\d.]*\xa0[KM]B, no limit", page), "the tables themselves"
    assert "Further deliveries wait for the next day" in page
    assert "ask the platform for a larger plan" in page


def test_it_is_the_admins_page_and_says_so_where_there_is_no_plan(
    owner: Client, tenants: Tenants, client_for: Any
) -> None:
    assert "has no plan" in text(owner.get("/settings/plan/"))
    member = client_for(tenants.acme, person(tenants.acme, "member"))
    assert member.get("/settings/plan/").status_code == 403


@pytest.mark.parametrize(
    ("address", "at"), [("/settings/people/", "people"), ("/settings/deliveries/", "deliveries"), ("/", "both")]
)
@pytest.mark.parametrize(("used", "said"), [(7, ""), (8, "80 % used"), (10, "Used up")])
def test_the_pages_of_what_is_limited_tell_of_it_from_80_per_cent_on(
    owner: Client, tenants: Tenants, address: str, at: str, used: int, said: str
) -> None:
    fill(tenants, used - 1, deliveries=used)
    limit(tenants.acme, people=10, deliveries=10)
    page = text(owner.get(address))
    for words, where in ((f"People: {used} of 10", "people"), (f"Deliveries today: {used} of 10", "deliveries")):
        assert (words in page) == (bool(said) and at in (where, "both"))
    assert not said or said in page


def test_members_are_not_told(tenants: Tenants, client_for: Any) -> None:
    limit(tenants.acme, people=1)
    member = client_for(tenants.acme, person(tenants.acme, "member"))
    assert "Used up" not in text(member.get("/"))


def test_a_visitor_reads_that_there_is_no_place_and_the_admins_are_told(
    visitor: Client, owner: Client, tenants: Tenants
) -> None:
    limit(tenants.acme, people=1)
    answer = visitor.post("/register/", ADA)
    assert answer.status_code == 409
    assert "Acme has no free place for another account just now. Its admins have been told" in text(answer)
    assert 'value="ada@acme.example"' in text(answer)
    assert 'value="Ada"' in text(answer)
    with tenant_scope(tenants.acme):
        assert User.objects.count() == 1
        owed = Delivery.objects.get(plugin="@tenantry", hook=quotas.NOTICE)
        assert owed.payload[:2] == ["people", 100]
    visitor.post("/register/", {**ADA, "email": "owner@acme.example"})
    with tenant_scope(tenants.acme):
        assert Delivery.objects.filter(hook=quotas.NOTICE).count() == 1


def test_a_full_organisation_does_not_tell_who_is_in_it(visitor: Client, owner: Client, tenants: Tenants) -> None:
    limit(tenants.acme, people=1)
    known = visitor.post("/register/", {**ADA, "email": "owner@acme.example"})
    assert (known.status_code, "has no free place" in text(known)) == (409, True)


def test_a_program_is_answered_in_json(visitor: Client, owner: Client, tenants: Tenants) -> None:
    limit(tenants.acme, people=1)
    answer = visitor.post("/register/", json.dumps(ADA), content_type="application/json")
    assert answer.status_code == 409
    assert "no free place" in answer.json()["errors"]["__all__"][0]


def test_an_invitation_beyond_the_limit_is_refused_in_its_form_with_the_remedy(owner: Client, tenants: Tenants) -> None:
    limit(tenants.acme, people=1)
    answer = owner.post("/settings/people/invite/", {"email": "eve@acme.example", "role": "member"})
    assert answer.status_code == 409
    page = text(answer)
    assert "has 1 place: people take 1 of them, and invitations 0. Remove somebody" in page
    assert 'value="eve@acme.example"' in page
    with tenant_scope(tenants.acme):
        assert not Invitation.objects.exists()


def test_refusals_are_counted_by_kind_without_a_tenant(
    visitor: Client, owner: Client, tenants: Tenants, tmp_path: Path
) -> None:
    limit(tenants.acme, people=1)
    metrics.forget()
    with override_settings(METRICS_DIR=tmp_path / "counts"):
        metrics.counted(REFUSED, "storage")
        visitor.post("/register/", ADA)
        lines = exposition.text().decode().splitlines()
        metrics.forget()
    found = {line for line in lines if line.startswith("tenantry_quota_refusals_total")}
    assert found == {
        'tenantry_quota_refusals_total{quota="people"} 1.0',
        'tenantry_quota_refusals_total{quota="storage"} 1.0',
    }


def test_staff_sets_limits_and_sees_whom_lower_ones_hit_before_anything_is_saved(
    staff: Client, owner: Client, tenants: Tenants
) -> None:
    fill(tenants, 4)
    # The tables may have been swollen by other tests: no storage that matters here.
    sent = {"name": "Team", "plugins": ["orders"], "people": "10", "deliveries": "", "storage": "500"}
    assert staff.post("/plans/new/", {**sent, "slug": "team"}).status_code == 302
    staff.post("/tenants/acme/plan/", {"plan": "team"})
    (plan,) = plans.plans()
    assert plan.limits == Limits(people=10, storage=500 * 1024 * 1024)
    assert re.search(r"10 people\s*(<br>)?\s*500\xa0MB", text(staff.get("/plans/")))
    lower = {**sent, "people": "3"}
    answer = staff.post("/plans/team/", lower)
    assert answer.status_code == 409
    for words in ("1 organisation uses more than that", "Acme</a>: People 5 of 3", "Nothing is saved yet", 'value="3"'):
        assert words in text(answer)
    assert plans.plans() == [plan]
    assert "uses more than that" in text(staff.post("/plans/team/", {**lower, "preview": "1", "confirm": "1"}))
    assert plans.plans() == [plan]
    assert staff.post("/plans/team/", {**lower, "confirm": "1"}).status_code == 302
    assert plans.plans()[0].limits.people == 3
    assert staff.post("/plans/team/", {**lower, "name": "The team"}).status_code == 302, (
        "what is not lowered hits nobody"
    )
    assert "No organisation uses more" in text(staff.post("/plans/team/", {**sent, "preview": "1"}))


def test_an_organisations_page_shows_its_use_and_a_smaller_plan_takes_nothing_away(
    staff: Client, owner: Client, tenants: Tenants
) -> None:
    fill(tenants, 2)
    plans.define("tiny", "Tiny", [], Limits(people=2))
    page = text(staff.post("/tenants/acme/plan/", {"plan": "tiny"}, follow=True))
    assert "It uses more than that already. People: 3 of 2" in page
    assert "Over the limit by 1" in page
    with tenant_scope(tenants.acme):
        assert User.objects.count() == 3


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "9" * 30])
@pytest.mark.parametrize("field", ["people", "deliveries", "storage"])
def test_a_limit_that_makes_no_sense_is_refused(staff: Client, field: str, value: str) -> None:
    answer = staff.post("/plans/new/", {"slug": "x", "name": "X", field: value})
    assert answer.status_code == 422
    assert plans.plans() == []


def test_what_is_wrong_with_a_plan_is_listed_once(staff: Client) -> None:
    answer = staff.post("/plans/new/", {"slug": "", "name": ""})
    assert answer.content.decode().count('<div class="form-errors"') == 1


def test_limits_below_one_are_no_limits_at_all(tenants: Tenants) -> None:
    with pytest.raises(PlanError, match="The limit of people is 0"):
        Limits(people=0)


def test_saving_a_plan_is_audited_with_its_limits(staff: Client, tenants: Tenants) -> None:
    staff.post("/plans/new/", {"slug": "x", "name": "X", "deliveries": "5"})
    with tenant_scope(tenants.acme.__class__("admin", "", "", "platform")):
        assert AuditEntry.objects.get(action="plan.saved").detail == {"plugins": [], "limits": {"deliveries": 5}}


def test_the_command_line_shows_the_use(tenants: Tenants) -> None:
    person(tenants.acme, "owner")
    limit(tenants.acme, people=1)
    said = io.StringIO()
    call_command("tenants", "usage", "acme", "--json", stdout=said)
    assert json.loads(said.getvalue())[0] == {"what": "people", "used": 1, "limit": 1, "level": "full"}
