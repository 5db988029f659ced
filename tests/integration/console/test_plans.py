"""Plans: what an organisation may run. A smaller one freezes plugins, a larger one thaws them, and nothing is lost."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from plugin_framework import activation, configuration, hooks, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog import plans
from plugin_framework.catalog.offers import set_offer
from plugin_framework.gate import Reason
from plugin_framework.models import AuditEntry, Delivery, PluginSetting, PluginState
from plugin_framework.tenancy import TenantRef, tenant_scope
from tests.conftest import Tenants

pytestmark = pytest.mark.usefixtures("plugins")


def reason(tenant: TenantRef, plugin: str) -> Reason:
    with tenant_scope(tenant):
        return activation.current().decision(plugin).reason


@pytest.fixture
def acme(staff: Client, tenants: Tenants) -> TenantRef:
    """acme, which runs the pager and the rota that needs it; there are two plans."""
    with tenant_scope(tenants.acme):
        configuration.configure("pager", SYSTEM, {"gateway": "gate.example"}, secrets={("key",): "k-1"})
        lifecycle.enable("rota", SYSTEM)
    staff.post("/plans/new/", {"slug": "small", "name": "Small", "plugins": ["rota"]})
    staff.post("/plans/new/", {"slug": "large", "name": "Large", "plugins": ["pager", "rota"]})
    return tenants.acme


def test_a_downgrade_freezes_what_is_not_included_and_what_needs_it_and_an_upgrade_thaws_both(
    acme: TenantRef, staff: Client
) -> None:
    with tenant_scope(acme):
        before = list(PluginSetting.objects.order_by("pk").values_list("plugin_name", "key", "value"))
        hooks.emit("alarm", "fire")
    staff.post("/tenants/acme/plan/", {"plan": "small", "confirm": "yes"})
    assert (reason(acme, "pager"), reason(acme, "rota")) == (Reason.NOT_IN_PLAN, Reason.DEPENDENCY)
    with tenant_scope(acme):
        hooks.emit("alarm", "while frozen")
        assert Delivery.objects.count() == 1
        assert PluginState.objects.filter(enabled=True).count() == 2
        assert list(PluginSetting.objects.order_by("pk").values_list("plugin_name", "key", "value")) == before
    staff.post("/tenants/acme/plan/", {"plan": "large"})
    assert (reason(acme, "pager"), reason(acme, "rota")) == (Reason.RUNS, Reason.RUNS)


def test_what_was_held_back_while_frozen_goes_out_after_the_upgrade(acme: TenantRef, staff: Client) -> None:
    with tenant_scope(acme):
        hooks.emit("alarm", "fire")
    staff.post("/tenants/acme/plan/", {"plan": "small", "confirm": "yes"})
    with tenant_scope(acme):
        Delivery.objects.update(held_since="2026-01-01T00:00Z", next_at="2126-01-01T00:00Z")
    staff.post("/tenants/acme/plan/", {"plan": ""})
    with tenant_scope(acme):
        delivery = Delivery.objects.get()
        assert delivery.next_at == delivery.created_at


def test_the_admin_reads_why_and_cannot_enable_what_the_plan_lacks(
    acme: TenantRef, staff: Client, acme_admin: Client
) -> None:
    staff.post("/tenants/acme/plan/", {"plan": "small", "confirm": "yes"})
    page = acme_admin.get("/settings/plugins/pager/").content.decode()
    assert "Your organisation’s plan, Small, does not include it. Its settings and data are kept." in page
    answer = acme_admin.post("/settings/plugins/clumsy/enable/")
    assert answer.status_code == 409
    assert "Small, does not include it" in answer.content.decode()


def test_staff_reads_it_of_the_organisation_and_not_of_their_own(acme: TenantRef, staff: Client) -> None:
    staff.post("/tenants/acme/plan/", {"plan": "small", "confirm": "yes"})
    set_offer("orders", "listed", granted=[])
    ticked = {"action": "enable", "of": "clumsy", "tenant": ["acme"]}
    pages = [
        staff.get("/tenants/acme/").text,
        staff.get("/fleet/?plugin=pager").text,
        staff.post("/fleet/preview/", ticked).text,
    ]
    for text in pages:
        assert "The organisation’s plan, Small, does not include it." in text
        assert "our organisation" not in text
    assert "It is not offered to the organisation." in pages[0]


def test_what_would_stop_under_another_plan_is_said_before_it_does(acme: TenantRef, staff: Client) -> None:
    answer = staff.post("/tenants/acme/plan/", {"plan": "small"})
    assert (answer.status_code, answer.context["change"].stopping) == (409, ("Pager", "Rota"))  # which needs the pager
    assert "With the plan Small, 2 plugins that run there stop" in answer.text
    assert (reason(acme, "pager"), plans.slug_of(acme.schema)) == (Reason.RUNS, "")
    assert staff.post("/tenants/acme/plan/", {"plan": "small", "confirm": "yes"}).status_code == 302
    assert plans.slug_of(acme.schema) == "small"
    for harmless in ("small", "large", ""):  # what does not run cannot stop
        assert staff.post("/tenants/acme/plan/", {"plan": harmless}).status_code == 302


def test_what_a_plan_takes_away_is_said_with_the_number_of_organisations_before_it_does(
    acme: TenantRef, staff: Client, tenants: Tenants
) -> None:
    with tenant_scope(tenants.globex):
        lifecycle.enable("pager", SYSTEM)
    for slug in ("acme", "globex"):
        staff.post(f"/tenants/{slug}/plan/", {"plan": "large"})
    less = {"name": "Large", "plugins": ["rota"]}
    answer = staff.post("/plans/large/", less)
    assert (answer.status_code, answer.context["stops"]) == (409, [("Pager", 2), ("Rota", 1)])
    assert "Nothing is saved yet." in answer.text
    assert reason(acme, "pager") is Reason.RUNS
    assert staff.post("/plans/large/", {**less, "confirm": "1"}).status_code == 302
    assert reason(acme, "pager") is Reason.NOT_IN_PLAN
    assert staff.post("/plans/large/", {**less, "plugins": ["rota", "clumsy"]}).status_code == 302  # nothing is lost


def test_plans_stand_in_the_order_of_their_names(staff: Client) -> None:
    for name in ("Second", "Third", "First"):
        staff.post("/plans/new/", {"slug": name.lower(), "name": name})
    assert [plan.name for plan in plans.plans()] == ["First", "Second", "Third"]


def test_of_many_plugins_of_a_plan_a_few_are_named_in_the_list(acme: TenantRef, staff: Client) -> None:
    plans.define("huge", "Huge", [f"plugin_{number:02}" for number in range(13)])
    (huge, *_) = staff.get("/plans/").context["plans"]
    assert (len(huge["titles"]), huge["more"]) == (10, 3)
    plans.define("huge", "Huge", [f"plugin_{number:02}" for number in range(12)])
    (huge, *_) = staff.get("/plans/").context["plans"]
    assert (len(huge["titles"]), huge["more"]) == (12, 0)


def test_changing_a_plan_is_felt_by_all_who_have_it_and_by_nobody_else(
    acme: TenantRef, staff: Client, tenants: Tenants
) -> None:
    with tenant_scope(tenants.globex):
        configuration.configure("pager", SYSTEM, {"gateway": "gate.example"})
        lifecycle.enable("pager", SYSTEM)
    staff.post("/tenants/acme/plan/", {"plan": "large"})
    assert reason(acme, "pager") is Reason.RUNS
    staff.post("/plans/large/", {"name": "Large", "plugins": ["rota"], "confirm": "1"})
    assert (reason(acme, "pager"), reason(tenants.globex, "pager")) == (Reason.NOT_IN_PLAN, Reason.RUNS)


def test_both_logs_tell_of_it_once(acme: TenantRef, staff: Client, platform: TenantRef) -> None:
    for _ in range(2):
        staff.post("/tenants/acme/plan/", {"plan": "small", "confirm": "yes"})
    for tenant in (acme, platform):
        with tenant_scope(tenant):
            entries = AuditEntry.objects.filter(action="tenant.plan_changed")
            assert [entry.detail for entry in entries] == [{"plan": "small"}]


def test_a_plan_that_somebody_has_is_not_deleted(acme: TenantRef, staff: Client) -> None:
    staff.post("/tenants/acme/plan/", {"plan": "small", "confirm": "yes"})
    assert "is the plan of an organisation" in staff.post("/plans/small/remove/", follow=True).content.decode()
    staff.post("/plans/large/remove/")
    assert [plan.slug for plan in plans.plans()] == ["small"]


@pytest.mark.parametrize(
    "sent",
    [
        {"slug": "small", "name": "Again"},
        {"slug": "Not a slug", "name": "X"},
        {"slug": "", "name": ""},
        {"slug": "new", "name": "n" * 101},
        {"slug": "new", "name": "New", "plugins": ["nonesuch"]},
        {"slug": "new", "name": "\x00"},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(acme: TenantRef, staff: Client, sent: dict[str, str]) -> None:
    answer = staff.post("/plans/new/", sent)
    assert answer.status_code == 422
    assert len(plans.plans()) == 2


def test_what_a_short_name_may_be_is_said_in_our_words(staff: Client) -> None:
    sent = {"slug": "Für alle", "name": "X"}
    page = staff.post("/plans/new/", sent)
    assert page.context["form"].errors["slug"] == [
        "Use the letters a to z, digits, hyphens and underscores only, as in basic or team-2."
    ]
    german = staff.post("/plans/new/", sent, headers={"accept-language": "de"})
    assert german.context["form"].errors["slug"] == [
        "Nur die Buchstaben a bis z, Ziffern, Binde- und Unterstriche verwenden, wie in basic oder team-2."
    ]


@pytest.mark.parametrize("address", ["/plans/nonesuch/", "/tenants/nobody/plan/"])
def test_what_is_not_there_is_not_found(acme: TenantRef, staff: Client, address: str) -> None:
    assert staff.post(address, {"plan": ""}).status_code == 404


def test_a_plan_that_is_not_there_changes_nothing(acme: TenantRef, staff: Client) -> None:
    assert (
        "There is no such plan" in staff.post("/tenants/acme/plan/", {"plan": "nonesuch"}, follow=True).content.decode()
    )
    with pytest.raises(CommandError, match="There is no plan “nonesuch”"):
        call_command("tenants", "plan", "acme", "--plan", "nonesuch")
    call_command("tenants", "plan", "acme", "--plan", "small", stdout=io.StringIO())
    assert reason(acme, "pager") is Reason.NOT_IN_PLAN
