"""Deciding what is offered to whom, and what the organisations notice of it."""

from __future__ import annotations

import io
import json
from html import unescape

import psycopg
import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction
from django.test import Client

from plugin_framework import lifecycle, rejections
from plugin_framework.audit import SYSTEM, person
from plugin_framework.catalog.models import Availability, CatalogEntry
from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.console import actions, fleet, telling
from tenants import operations
from tests.conftest import Tenants
from tests.dummies import pages
from tests.support.fleet import make

pytestmark = pytest.mark.usefixtures("plugins")
WITHDRAW = {"availability": "withdrawn", "message": "It rang at night.", "tenants": "", "confirm": "yes"}
STAFF = person("root@platform.example", staff=True)
OFFER = {"availability": "everyone", "message": "", "tenants": ""}


def _enable(tenant: TenantRef, *names: str) -> None:
    with tenant_scope(tenant):
        for name in names:
            lifecycle.enable(name, SYSTEM)


def _log(tenant: TenantRef) -> list[tuple[str, str, str]]:
    with tenant_scope(tenant):
        rows = AuditEntry.objects.filter(action__startswith="catalog.").order_by("pk")
        return list(rows.values_list("actor", "action", "target"))


def test_why_a_plugin_was_rejected_is_read_in_the_readers_language(staff: Client) -> None:
    why = rejections.NO_PLUGIN(plugin="broken").english
    with pages.installed(pages.Pager, quarantined={"broken": why}):
        for path in ("/", "/catalog/", "/catalog/broken/"):
            assert "is not a plugin" in staff.get(path).content.decode()
            text = staff.get(path, headers={"accept-language": "de"}).content.decode()
            assert "broken ist kein Plugin: Leiten Sie es von PluginInterface ab." in text


def test_the_overview_counts_and_shows_what_was_rejected_and_why(staff: Client, tenants: Tenants) -> None:
    answer = staff.get("/")
    assert answer.context["tenants_total"] == 2
    for told in ("broken has no version.", "odd."):
        assert told in answer.content.decode()


def test_the_catalog_is_searched_and_filtered(staff: Client) -> None:
    staff.post("/catalog/pager/", WITHDRAW)
    names = [info.name for info in staff.get("/catalog/?q=rota").context["plugins"]]
    assert names == ["rota"]
    answer = staff.get("/catalog/?state=withdrawn")
    assert [info.name for info in answer.context["plugins"]] == ["pager"]


def test_what_was_rejected_is_found_by_that_and_is_not_said_to_be_offered(staff: Client) -> None:
    answer = staff.get("/catalog/?state=rejected")
    assert [info.name for info in answer.context["plugins"]] == ["broken", "Odd/one"]
    assert "Rejected: runs for nobody" in answer.text
    assert 'badge-ok">Offered to everyone' not in answer.text
    counts = {each.value: each.count for each in answer.context["filters"]}
    assert counts["rejected"] == 2
    assert counts[""] == counts["everyone"] + 2
    staff.post("/catalog/broken/", {"availability": "hidden"})
    both = staff.get("/catalog/?state=hidden")
    assert [info.states for info in both.context["plugins"]] == [("rejected", "hidden")]


def test_a_withdrawn_plugin_says_whom_it_is_missing_and_is_offered_again_with_one_press(
    staff: Client, tenants: Tenants
) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.enable("clumsy", SYSTEM)
    staff.post("/catalog/clumsy/", {**WITHDRAW, "confirm": "yes"})
    page = staff.get("/catalog/clumsy/").text
    assert "1 organisation has it enabled and is without it. Its people read:" in page
    assert "see whom it hits" not in page  # that has happened
    assert staff.post("/catalog/clumsy/", {"availability": "everyone"}).status_code == 302
    assert "is without it" not in staff.get("/catalog/clumsy/").text


def test_a_plugins_page_says_what_it_keeps_and_what_has_changed(staff: Client) -> None:
    class Diary(pages.Rota):
        name, title, dependencies = "diary", "Diary", ()
        stores = ("what <somebody> did",)
        keeps_of_people = "The date stays."
        changelog = (
            ("1.2.0", "2026-11-28", "Writes in <ink>."),
            *((f"1.1.{n}", "2026-11-01", f"No {n}.") for n in "3210"),
        )

    with pages.installed(Diary):
        text = staff.get("/catalog/diary/").text
    for told in (
        "what &lt;somebody&gt; did",
        "The date stays.",
        "Version 1.2.0",
        "Writes in &lt;ink&gt;.",
        "Earlier versions",
        "No 0.",
    ):
        assert told in text
    text = staff.get("/catalog/rota/").text
    assert "It names nothing beyond its settings." in text
    assert "What has changed" not in text


def test_an_organisation_whose_schema_is_lost_keeps_nobody_from_deciding_about_the_others(
    staff: Client, tenants: Tenants
) -> None:
    _enable(tenants.acme, "pager")
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{tenants.globex.schema}" CASCADE')
    assert staff.get("/catalog/").status_code == 200
    assert staff.post("/catalog/pager/", WITHDRAW).status_code == 302
    assert _log(tenants.acme) == [("root@platform.example (platform staff)", "catalog.withdrawn", "pager")]
    listed = {"availability": "listed", "message": "", "tenants": "acme globex", "confirm": "yes"}
    page = staff.post("/catalog/pager/", listed, follow=True)
    assert "it could not be written into the audit log of: Globex." in page.text
    assert [action for _, action, _ in _log(tenants.acme)] == ["catalog.withdrawn", "catalog.listed"]


def test_adoption_is_in_how_many_organisations_a_plugin_is_enabled(staff: Client, tenants: Tenants) -> None:
    _enable(tenants.acme, "clumsy", "rota")
    _enable(tenants.globex, "clumsy")
    with tenant_scope(tenants.globex):
        lifecycle.enable("pager", SYSTEM)
        lifecycle.disable("pager", SYSTEM)
    counts = {info.name: info.adoption for info in staff.get("/catalog/").context["plugins"]}
    assert (counts["clumsy"], counts["pager"], counts["rota"], counts["broken"]) == (2, 1, 1, 0)
    assert [ref.slug for ref in fleet.having("pager")] == ["acme"]


def test_the_number_of_organisations_that_have_a_plugin_leads_to_them(staff: Client, tenants: Tenants) -> None:
    where = "/fleet/?plugin=clumsy&kind=enabled"
    assert where not in unescape(staff.get("/catalog/clumsy/").content.decode())
    _enable(tenants.globex, "clumsy")
    assert f'<a href="{where}">enabled in 1 organisation</a>' in unescape(
        staff.get("/catalog/clumsy/").content.decode()
    )
    assert [row.ref.slug for row in staff.get(where).context["page"].rows] == ["globex"]


def test_withdrawing_stops_it_everywhere_on_the_next_request_and_offering_brings_it_back(
    staff: Client, acme_admin: Client, tenants: Tenants
) -> None:
    acme_admin.post("/settings/plugins/clumsy/enable/")
    answer = staff.post("/catalog/clumsy/", WITHDRAW)
    assert answer["Location"] == "/catalog/clumsy/"
    seen = acme_admin.get("/settings/plugins/clumsy/")
    assert "It rang at night." in seen.content.decode()
    assert not seen.context["plugin"].runs
    staff.post("/catalog/clumsy/", OFFER)
    assert acme_admin.get("/settings/plugins/clumsy/").context["plugin"].runs


def test_a_decision_is_in_the_platforms_log_and_in_those_of_the_organisations_it_touches(
    staff: Client, tenants: Tenants, platform: TenantRef
) -> None:
    _enable(tenants.acme, "clumsy")
    staff.post("/catalog/clumsy/", WITHDRAW)
    entry = ("root@platform.example (platform staff)", "catalog.withdrawn", "clumsy")
    assert (_log(platform), _log(tenants.acme), _log(tenants.globex)) == ([entry], [entry], [])


def test_a_suspended_organisation_is_told_as_well(staff: Client, tenants: Tenants) -> None:
    _enable(tenants.acme, "clumsy")
    operations.suspend("acme", "Unpaid.", SYSTEM)
    staff.post("/catalog/clumsy/", WITHDRAW)
    assert len(_log(tenants.acme)) == 1


def test_deciding_the_same_again_changes_and_records_nothing(staff: Client, platform: TenantRef) -> None:
    staff.post("/catalog/pager/", WITHDRAW)
    assert "Nothing was changed" in staff.post("/catalog/pager/", WITHDRAW, follow=True).content.decode()
    assert len(_log(platform)) == 1


def test_listing_offers_it_to_the_named_alone_and_tells_them(
    staff: Client, acme_admin: Client, tenants: Tenants
) -> None:
    staff.post("/catalog/pager/", {"availability": "listed", "message": "", "tenants": "globex\n"})
    assert acme_admin.get("/settings/plugins/pager/").context["plugin"].state == "locked"
    assert (len(_log(tenants.acme)), len(_log(tenants.globex))) == (0, 1)
    staff.post("/catalog/pager/", {"availability": "listed", "message": "", "tenants": "acme, GLOBEX"})
    assert acme_admin.get("/settings/plugins/pager/").context["plugin"].state == "available"
    assert (len(_log(tenants.acme)), len(_log(tenants.globex))) == (1, 1)
    assert staff.get("/catalog/pager/").context["form"].initial["tenants"] == "acme\nglobex"


def test_hiding_leaves_it_to_those_who_have_it(staff: Client, acme_admin: Client, tenants: Tenants) -> None:
    _enable(tenants.acme, "clumsy")
    staff.post("/catalog/clumsy/", {"availability": "hidden", "message": "", "tenants": ""})
    assert acme_admin.get("/settings/plugins/clumsy/").context["plugin"].runs
    with tenant_scope(tenants.globex):
        assert not lifecycle.status("clumsy").decision.may_enable


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"availability": "withdrawn", "message": "", "tenants": ""}, "message"),
        ({"availability": "withdrawn", "message": "   ", "tenants": ""}, "message"),
        ({"availability": "withdrawn", "message": "x" * 501, "tenants": ""}, "message"),
        ({"availability": "withdrawn", "message": "a\x00b", "tenants": ""}, "message"),
        ({"availability": "listed", "message": "", "tenants": ""}, "tenants"),
        ({"availability": "listed", "message": "", "tenants": "acme nobody"}, "tenants"),
        ({"availability": "listed", "message": "", "tenants": "admin"}, "tenants"),
        ({"availability": "listed", "message": "", "tenants": "\x00"}, "tenants"),
        ({"availability": "everywhere", "message": "", "tenants": ""}, "availability"),
        ({}, "availability"),
    ],
)
def test_bad_input_comes_back_at_its_field_and_decides_nothing(
    staff: Client, platform: TenantRef, data: dict[str, str], field: str
) -> None:
    answer = staff.post("/catalog/pager/", data)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {field}
    assert _log(platform) == []
    with public_scope():
        assert not CatalogEntry.objects.exists()


def test_a_rejected_plugin_can_be_withdrawn(staff: Client) -> None:
    assert "broken has no version." in staff.get("/catalog/broken/").content.decode()
    assert staff.post("/catalog/broken/", WITHDRAW).status_code == 302


def test_a_decision_that_the_platforms_own_log_cannot_take_is_not_taken(tenants: Tenants, platform: TenantRef) -> None:
    _enable(tenants.acme, "clumsy")
    _lose_the_log(platform)
    with pytest.raises(ProgrammingError, match="plugin_framework_auditentry"), transaction.atomic():
        actions.offer("clumsy", Availability.WITHDRAWN, STAFF, message="No.")
    with public_scope():
        assert not CatalogEntry.objects.exists()


def _lose_the_log(tenant: TenantRef) -> None:
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE plugin_framework_auditentry RENAME TO gone")


def test_one_damaged_organisation_keeps_nobody_from_deciding_and_is_named_on_the_page_and_in_the_logs(
    staff: Client, tenants: Tenants, platform: TenantRef, caplog: pytest.LogCaptureFixture
) -> None:
    _enable(tenants.acme, "pager")
    _enable(tenants.globex, "pager")
    _lose_the_log(tenants.globex)
    warning = "it could not be written into the audit log of: Globex."
    steps = [("/catalog/pager/", WITHDRAW, "withdrawn"), ("/catalog/pager/standing/", {"required": "on"}, "required")]
    steps.append(("/catalog/pager/settings/", {"gateway": "gate.example"}, "settings_changed"))
    for path, form, action in steps:
        caplog.clear()
        page = staff.post(path, form, follow=True)
        assert (page.status_code, warning in page.text) == (200, True), path
        assert f"catalog.{action} of pager is not in the audit log of globex" in caplog.text
        assert [each.levelname for each in caplog.records if "is not in the audit log" in each.message] == ["ERROR"]
        with tenant_scope(platform):
            not_recorded, decided = AuditEntry.objects.all()[:2]
        assert (decided.action, decided.detail["organisations"]) == (f"catalog.{action}", 2)
        assert (not_recorded.action, not_recorded.target) == ("catalog.not_recorded", "pager")
        assert not_recorded.detail == {"decision": f"catalog.{action}", "which": ["globex"]}
        assert "could not write into every audit log the decision about" in staff.get("/").text
    told = [action for _, action, _ in _log(tenants.acme)]
    assert told == ["catalog.withdrawn", "catalog.required", "catalog.settings_changed"]
    for tenant in (tenants.acme, tenants.globex):
        with tenant_scope(tenant):
            assert not lifecycle.status("pager").decision.runs


def test_nobody_is_named_where_all_logs_could_take_it(staff: Client, tenants: Tenants, platform: TenantRef) -> None:
    _enable(tenants.acme, "pager")
    assert "could not be written" not in staff.post("/catalog/pager/", WITHDRAW, follow=True).text
    assert [action for _, action, _ in _log(platform)] == ["catalog.withdrawn"]


@pytest.mark.parametrize("damaged", [(1,), (0, 4), (2, 3, 5), tuple(range(6))])
def test_of_many_all_are_told_whose_logs_can_take_it(tenants: Tenants, damaged: tuple[int, ...]) -> None:
    many = make(6)
    for ref in many:
        _enable(ref, "pager")
    for number in damaged:
        _lose_the_log(many[number])
    decided = actions.offer("pager", Availability.WITHDRAWN, STAFF, message="It rang at night.")
    assert (decided.changed, list(decided.untold)) == (True, [many[number] for number in damaged])
    for number, ref in enumerate(many):
        if number not in damaged:
            assert _log(ref) == [("root@platform.example (platform staff)", "catalog.withdrawn", "pager")]


def test_a_decision_does_not_wait_for_an_organisation_whose_log_is_locked(
    committed_db: str, tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "PATIENCE", 50)
    _enable(tenants.acme, "pager")
    _enable(tenants.globex, "pager")
    with psycopg.connect(committed_db) as other:
        other.execute("SET idle_in_transaction_session_timeout = '20s'")  # so that one that waits is told, too late
        other.execute(f"LOCK TABLE {tenants.acme.schema}.plugin_framework_auditentry")
        with transaction.atomic():
            decided = actions.offer("pager", Availability.WITHDRAWN, STAFF, message="It rang at night.")
            with connection.cursor() as cursor:
                cursor.execute("SELECT current_setting('lock_timeout')")
                assert cursor.fetchone() == ("0",), "what else is done in the transaction waits as long as it did"
    assert (decided.changed, list(decided.untold)) == (True, [tenants.acme])
    assert [action for _, action, _ in _log(tenants.globex)] == ["catalog.withdrawn"]
    with tenant_scope(tenants.acme):
        assert not lifecycle.status("pager").decision.runs


def test_the_command_names_those_whose_logs_could_not_take_it(tenants: Tenants) -> None:
    _enable(tenants.acme, "orders")
    _lose_the_log(tenants.acme)
    said = io.StringIO()
    call_command("plugins", "offer", "--plugin", "orders", "--to", "hidden", "--json", stdout=said)
    assert json.loads(said.getvalue())["not in the log of"] == ["acme"]
