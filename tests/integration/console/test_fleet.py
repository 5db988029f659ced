"""The fleet's matrix: a page of organisations at a time, found by what their plugins are like; and what is done in many at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog import plans
from plugin_framework.catalog.offers import set_offer, set_standing
from plugin_framework.delivery import breaker
from plugin_framework.models import AuditEntry, Delivery, PluginSetting, PluginState
from plugin_framework.models.delivery import DeliveryState
from plugin_framework.registry import registry
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.console import fleet_actions, fleet_view
from saas.console.fleet_view import Criteria
from tenants import operations
from tenants.models import State, Tenant
from tenants.provisioning import create_tenant
from tests.conftest import Tenants
from tests.dummies import pages

pytestmark = pytest.mark.usefixtures("plugins")


def _enable(tenant: TenantRef, *names: str) -> None:
    with tenant_scope(tenant):
        for name in names:
            lifecycle.enable(name, SYSTEM)


def _set_up(tenant: TenantRef) -> None:
    with tenant_scope(tenant):
        configuration.configure("pager", SYSTEM, {"gateway": "pager.example"})


def _kinds(staff: Client, query: str = "") -> dict[str, dict[str, str]]:
    page = staff.get(f"/fleet/{query}").context["page"]
    return {row.ref.slug: {cell.plugin: cell.kind for cell in row.cells if cell.kind != "off"} for row in page.rows}


def _slugs(staff: Client, query: str) -> list[str]:
    return [row.ref.slug for row in staff.get(f"/fleet/{query}").context["page"].rows]


def _give_up(tenant: TenantRef, plugin: str) -> None:
    with tenant_scope(tenant):
        row = Delivery(event_id="0" * 32, hook="alarm", plugin=plugin, handler="on_alarm", payload=[])
        row.idempotency_key, row.state, row.finished_at = row.event_id, DeliveryState.DEAD, timezone.now()  # type: ignore[assignment]  # as text
        row.save()


def test_each_plugin_stands_in_its_column_as_the_gate_says(staff: Client, tenants: Tenants) -> None:
    _enable(tenants.acme, "rota", "clumsy")
    _enable(tenants.globex, "pager")
    _set_up(tenants.globex)
    assert _kinds(staff) == {
        "acme": {"pager": "setup", "rota": "stopped", "clumsy": "runs"},
        "globex": {"pager": "runs"},
    }
    page = staff.get("/fleet/").context["page"]
    names = [name for name, _ in page.columns]
    assert all([cell.plugin for cell in row.cells] == names for row in page.rows)


def test_failures_and_pauses_are_told_apart(staff: Client, tenants: Tenants) -> None:
    for tenant in (tenants.acme, tenants.globex):
        _enable(tenant, "clumsy", "pager")
        _set_up(tenant)
    _give_up(tenants.acme, "clumsy")
    with tenant_scope(tenants.globex):
        breaker.pause("clumsy", SYSTEM)
        lifecycle.pause("pager", SYSTEM, reason="It kept pages waiting.", seconds=600)
    assert _kinds(staff) == {
        "acme": {"pager": "runs", "clumsy": "failing"},
        "globex": {"pager": "paused", "clumsy": "paused"},
    }
    text = staff.get("/fleet/").content.decode()
    assert "1 delivery was given up lately." in text
    assert "It kept pages waiting." in text
    assert (_slugs(staff, "?kind=failing"), _slugs(staff, "?kind=paused")) == (["acme"], ["globex"])
    assert _slugs(staff, "?kind=attention") == ["acme", "globex"]


def test_it_is_filtered_by_name_plugin_and_state(staff: Client, tenants: Tenants) -> None:
    _enable(tenants.acme, "clumsy")
    with tenant_scope(tenants.acme):
        PluginState.objects.update(version="0.9")
        lifecycle.bump_tenant()
    assert _slugs(staff, "?q=glob") == ["globex"]
    assert _slugs(staff, "?plugin=clumsy&kind=enabled") == ["acme"]
    assert _slugs(staff, "?plugin=clumsy&kind=off") == ["globex"]
    assert _slugs(staff, "?kind=older") == ["acme"]
    assert _slugs(staff, "?kind=setup") == []
    assert [name for name, _ in staff.get("/fleet/?plugin=clumsy").context["page"].columns] == ["clumsy"]


@pytest.mark.parametrize(
    "query", ["?q=%00", "?kind=no", "?plugin=no_such", "?plugin=%00", "?after=zzz", "?q=" + "x" * 999]
)
def test_whatever_is_asked_for_is_answered(staff: Client, tenants: Tenants, query: str) -> None:
    assert staff.get(f"/fleet/{query}").status_code == 200


def test_a_page_goes_on_where_the_last_one_ended(tenants: Tenants) -> None:
    for number in range(4):
        create_tenant(f"firm{number}", f"Firm {number}", SYSTEM, from_pool=False)
    seen, after = [], ""
    with tenant_scope(tenants.acme):
        for _ in range(4):
            found = fleet_view.page(Criteria(after=after), size=2, most=3)
            seen += [row.ref.slug for row in found.rows]
            after = found.next
            if not after:
                break
        assert seen == ["acme", "firm0", "firm1", "firm2", "firm3", "globex"]
        found = fleet_view.page(Criteria(kind="enabled"), size=2, most=3)
    assert (found.rows, found.looked_at, found.next, found.total) == ([], 3, "firm1", 6)


def test_a_page_is_a_few_statements_however_many_organisations_there_are(staff: Client, tenants: Tenants) -> None:
    counts = []
    staff.get("/fleet/")  # the first page of somebody who has just signed in also says where that was
    for number in range(3):
        _enable(create_tenant(f"firm{number}", f"Firm {number}", SYSTEM, from_pool=False), "clumsy", "pager")
        with CaptureQueriesContext(connection) as asked:
            staff.get("/fleet/")
        counts.append(len(asked))
    assert counts[0] == counts[2] <= 20, counts


def test_one_whose_tables_are_gone_hides_nobody_else(staff: Client, tenants: Tenants) -> None:
    _enable(tenants.globex, "clumsy")
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{tenants.acme.schema}".plugin_framework_pluginsetting RENAME TO gone')
    page = staff.get("/fleet/").context["page"]
    assert [(row.ref.slug, row.broken) for row in page.rows] == [("acme", True), ("globex", False)]


def test_those_that_are_being_made_or_deleted_are_not_there(staff: Client, tenants: Tenants) -> None:
    with public_scope():
        Tenant.objects.filter(slug="acme").update(state=State.PROVISIONING)
    operations.suspend("globex", "Unpaid.", SYSTEM)
    assert _slugs(staff, "") == ["globex"]


def _choose(staff: Client, action: str, of: str, *slugs: str, **more: str) -> Any:
    return staff.post("/fleet/preview/", {"action": action, "of": of, "tenant": list(slugs), **more})


def _effects(answer: Any) -> dict[str, tuple[str, str]]:
    return {each.ref.slug: (each.outcome, each.text) for each in answer.context["effects"]}


def test_what_none_of_the_organisations_shown_has_takes_no_column(staff: Client, tenants: Tenants) -> None:
    _enable(tenants.acme, "rota")
    page = staff.get("/fleet/").context["page"]
    assert [name for name, _title in page.columns] == ["pager", "rota"]
    assert page.left_out == len(registry.specs) - 2
    alone = staff.get("/fleet/?plugin=clumsy").context["page"]
    assert ([name for name, _title in alone.columns], alone.left_out) == (["clumsy"], 0)


def test_only_what_is_in_the_state_that_is_looked_for_has_a_column_and_says_why(
    staff: Client, tenants: Tenants
) -> None:
    _enable(tenants.acme, "rota", "clumsy", "orders", "announcements", "webhooks")
    _give_up(tenants.acme, "clumsy")
    every = staff.get("/fleet/")
    assert (len(every.context["page"].columns), "was given up lately" in every.text) == (
        6,
        False,
    )  # no room for reasons
    assert "?plugin=clumsy&amp;q=acme" in every.text  # which are there
    failing = staff.get("/fleet/?kind=failing")
    assert [name for name, _title in failing.context["page"].columns] == ["clumsy"]
    assert "1 delivery was given up lately." in failing.text


def test_all_that_the_page_shows_are_chosen_at_once(staff: Client, tenants: Tenants) -> None:
    sent = {"which": "page", "shown": ["acme", "globex"], "after": "aaa"}
    answer = _choose(staff, "enable", "clumsy", **sent)  # type: ignore[arg-type]  # several values of one name
    assert list(_effects(answer)) == ["acme", "globex"]
    assert answer.context["back_url"] == "/fleet/?after=aaa"  # the page they stood on


def test_what_it_would_do_is_said_of_each_and_nothing_is_done(staff: Client, tenants: Tenants) -> None:
    _enable(tenants.acme, "rota")
    set_offer("rota", "listed", granted=[tenants.acme.schema])
    answer = _choose(staff, "enable", "rota", "acme", "globex")
    assert _effects(answer)["acme"] == ("nothing", "It is enabled already.")
    assert _effects(answer)["globex"][0] == "refused"
    assert "not offered" in _effects(answer)["globex"][1]
    set_offer("rota", "everyone")
    effects = _effects(_choose(staff, "enable", "rota", "globex"))
    said = "It will be enabled, with what it needs: Pager. Pager will need setup there: Gateway: Required."
    assert effects == {"globex": ("change", said)}
    effects = _effects(_choose(staff, "disable", "pager", "acme", "globex"))
    assert effects["acme"] == ("change", "It will be disabled, and so will what needs it: Rota.")
    assert effects["globex"] == ("nothing", "It is not enabled.")
    set_standing("rota", on_by_default=False, required=True)
    assert _effects(_choose(staff, "disable", "pager", "acme"))["acme"][0] == "refused"
    with tenant_scope(tenants.globex):
        assert not PluginState.objects.exists()


def test_where_it_will_need_setup_is_said_before_it_is_enabled(staff: Client, tenants: Tenants) -> None:
    _set_up(tenants.globex)
    needs_setup = "It will be enabled. Pager will need setup there: Gateway: Required."
    assert _effects(_choose(staff, "enable", "pager", "acme", "globex")) == {
        "acme": ("change", needs_setup),
        "globex": ("change", "It will be enabled."),
    }
    with tenant_scope(tenants.globex):
        configuration.configure("pager", SYSTEM, {"gateway": "gate.example"}, secrets={("key",): "k-1"})
        PluginSetting.objects.filter(key="key").update(value={"$sealed": "v1:gone"})
    told = _effects(_choose(staff, "enable", "pager", "globex"))["globex"][1]
    assert told.startswith("It will be enabled. Pager will need setup there: Access key: A stored secret cannot be")
    _enable(tenants.acme, "pager")  # it needs setup already, which is nothing that this would change
    assert _effects(_choose(staff, "enable", "rota", "acme"))["acme"] == ("change", "It will be enabled.")
    with tenant_scope(tenants.globex):
        assert not PluginState.objects.filter(enabled=True).exists()


def test_looking_ahead_costs_as_many_statements_for_many_organisations_as_for_one(
    staff: Client, tenants: Tenants
) -> None:
    def cost(*slugs: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert len(_effects(_choose(staff, "enable", "rota", *slugs))) == len(slugs)
        return len(queries)

    cost("acme", "globex")
    assert cost("acme", "globex") == cost("acme")


def test_it_is_done_in_each_and_stands_in_each_audit_log(staff: Client, tenants: Tenants, platform: TenantRef) -> None:
    _enable(tenants.acme, "clumsy")
    answer = staff.post("/fleet/apply/", {"action": "enable", "of": "rota", "tenant": ["acme", "globex"]})
    assert {slug: outcome for slug, (outcome, _) in _effects(answer).items()} == {"acme": "change", "globex": "change"}
    for tenant in (tenants.acme, tenants.globex):
        with tenant_scope(tenant):
            assert lifecycle.status("rota").enabled
            entry = AuditEntry.objects.get(action="plugin.enabled", target="rota")
            assert entry.actor == "root@platform.example (platform staff)"
    with tenant_scope(platform):
        entry = AuditEntry.objects.get(action="fleet.enable")
        assert (entry.target, entry.detail) == ("rota", {"organisations": 2, "which": ["acme", "globex"]})
    answer = staff.post("/fleet/apply/", {"action": "disable", "of": "pager", "tenant": ["acme", "globex"]})
    assert _effects(answer)["acme"] == ("change", "Disabled: Rota, Pager.")


def test_where_it_does_not_run_yet_although_it_is_enabled_the_reason_is_said(staff: Client, tenants: Tenants) -> None:
    _set_up(tenants.globex)
    answer = staff.post("/fleet/apply/", {"action": "enable", "of": "pager", "tenant": ["acme", "globex"]})
    told = {each.ref.slug: each.text for each in answer.context["effects"]}
    assert told["globex"] == "Enabled: Pager."
    assert told["acme"] == "Enabled: Pager. Its settings need attention: Gateway: Required."


def test_one_that_refuses_does_not_hold_up_the_others(staff: Client, tenants: Tenants) -> None:
    set_offer("clumsy", "listed", granted=[tenants.globex.schema])
    answer = staff.post("/fleet/apply/", {"action": "enable", "of": "clumsy", "tenant": ["acme", "globex"]})
    assert [outcome for outcome, _ in _effects(answer).values()] == ["refused", "change"]


def test_what_refuses_while_it_is_done_speaks_to_staff_of_an_organisation_that_is_not_theirs(
    staff: Client, tenants: Tenants
) -> None:
    def told(action: str, plugin: str, slug: str) -> tuple[str, str]:
        return _effects(staff.post("/fleet/apply/", {"action": action, "of": plugin, "tenant": slug}))[slug]

    plans.define("small", "Small", ["rota"])
    with tenant_scope(tenants.acme):
        plans.assign("small")
    assert told("enable", "clumsy", "acme") == ("refused", "The organisation’s plan, Small, does not include it.")
    needing = "Rota needs Pager: The organisation’s plan, Small, does not include it."
    assert told("enable", "rota", "acme") == ("refused", needing)
    set_offer("clumsy", "listed", granted=[])
    assert told("enable", "clumsy", "globex") == ("refused", "It is not offered to the organisation.")
    set_offer("clumsy", "everyone")
    _enable(tenants.globex, "rota")
    set_standing("rota", on_by_default=False, required=True)
    kept = "Rota is required, so it cannot be disabled. If it has to go, say in the catalog that it is not required."
    assert told("disable", "rota", "globex") == ("refused", kept)
    assert _effects(_choose(staff, "disable", "rota", "globex"))["globex"] == ("refused", kept)


def test_what_fails_while_it_is_enabled_sends_staff_to_the_log_and_not_to_staff(
    staff: Client, tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(self: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(pages.Clumsy, "on_enable", failing)
    answer = staff.post("/fleet/apply/", {"action": "enable", "of": "clumsy", "tenant": "acme"})
    why = "its own preparations failed (RuntimeError)"
    said = f"Clumsy could not be enabled: {why}. Nothing was changed. The log has the details."
    assert _effects(answer)["acme"] == ("refused", said)


def test_paused_ones_are_resumed(staff: Client, tenants: Tenants) -> None:
    _enable(tenants.acme, "clumsy")
    with tenant_scope(tenants.acme):
        breaker.pause("clumsy", SYSTEM)
    assert _effects(_choose(staff, "resume", "clumsy", "acme", "globex")) == {
        "acme": ("change", "Its deliveries will go out again."),
        "globex": ("nothing", "It is not paused."),
    }
    staff.post("/fleet/apply/", {"action": "resume", "of": "clumsy", "tenant": ["acme", "globex"]})
    with tenant_scope(tenants.acme):
        assert breaker.rests() == {}


def test_a_request_does_a_slice_and_the_page_goes_on_with_the_rest(
    staff: Client, tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_actions, "SLICE", 0.0)  # time for one
    first = staff.post("/fleet/apply/", {"action": "enable", "of": "clumsy", "tenant": ["acme", "globex"]})
    assert (list(_effects(first)), first.context["left"], first.context["total"]) == (["acme"], ["globex"], 2)
    assert 'hx-trigger="load, submit"' in first.content.decode()
    rest = {"action": "enable", "of": "clumsy", "tenant": ["globex"], "done": "1"}
    second = staff.post("/fleet/apply/", rest, headers={"HX-Request": "true"})
    assert (list(_effects(second)), second.context["left"], second.context["done"]) == (["globex"], [], 2)
    assert "<html" not in second.content.decode()
    assert "That was all: 2 organisations." in second.content.decode()


def test_all_that_fit_can_be_chosen_without_ticking_them(staff: Client, tenants: Tenants) -> None:
    _enable(tenants.acme, "clumsy")
    answer = _choose(staff, "disable", "clumsy", which="all", plugin="clumsy", kind="enabled")
    assert list(_effects(answer)) == ["acme"]
    assert answer.context["changing"] == ["acme"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"action": "enable", "of": "clumsy"}, "Tick at least one organisation."),
        ({"action": "enable", "of": "clumsy", "tenant": "nobody"}, "Tick at least one organisation."),
        ({"action": "enable", "of": "clumsy", "tenant": "\x00"}, "Tick at least one organisation."),
        ({"action": "enable", "of": "", "tenant": "acme"}, "Choose a plugin."),
        ({"action": "erase", "of": "clumsy", "tenant": "acme"}, "Choose what to do."),
        ({}, "Choose a plugin."),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_done(
    staff: Client, tenants: Tenants, data: dict[str, str], said: str
) -> None:
    assert said in staff.post("/fleet/preview/", data, follow=True).content.decode()
    assert staff.post("/fleet/apply/", data).status_code in (200, 302)
    with tenant_scope(tenants.acme):
        assert not PluginState.objects.exists()


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        ({"action": "disable", "of": "clumsy", "which": ""}, ['value="disable" selected', 'value="clumsy" selected']),
        ({"action": "resume", "of": "", "which": "page"}, ['value="resume" selected', 'value="page" selected']),
        ({"action": "enable", "of": "", "tenant": ["acme"], "which": "all"}, ['id="t-acme" checked', 'value="all" selected']),
        ({"action": "\x00<b>", "of": "", "q": "ac", "tenant": "\x00"}, ['name="q" value="ac"']),
    ],
)  # fmt: skip
def test_what_was_chosen_is_there_again_where_something_was_missing(
    staff: Client, data: dict[str, Any], kept: list[str]
) -> None:
    page = staff.post("/fleet/preview/", data, follow=True).content.decode()
    assert [each for each in kept if each not in page] == []
    assert 'id="t-globex" checked' not in page


def test_a_plugin_that_is_not_installed_is_refused_in_each(staff: Client, tenants: Tenants) -> None:
    answer = staff.post("/fleet/apply/", {"action": "enable", "of": "broken", "tenant": "acme"})
    assert _effects(answer)["acme"][0] == "refused"
    assert _effects(_choose(staff, "enable", "nothing", "acme"))["acme"][0] == "refused"
