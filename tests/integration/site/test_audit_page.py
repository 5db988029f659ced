"""The audit log's page."""

from __future__ import annotations

import ast
import csv
import io
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation
from django.utils.html import strip_tags

from plugin_framework.audit import COMMAND_LINE, SYSTEM, Actor, person, record
from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import tenant_scope
from saas.site import audit_page
from saas.site.audit_details import _NAMES, details
from saas.templatetags.tenantry import action_words
from tenants import profile
from tests.conftest import Tenants
from tests.dummies import pages
from tests.support.catalog import ROOT

pytestmark = pytest.mark.usefixtures("plugins")
RECORDING = ("record", "_record", "_audit", "_tell", "_tell_the_others", "audit_on_both_sides", "_change")


def test_what_is_done_on_the_pages_can_be_read_there(admin: Client) -> None:
    admin.post("/settings/plugins/clumsy/enable/")
    text = admin.get("/settings/audit/").content.decode()
    assert "admin@acme.example" in text
    assert "enabled the plugin Clumsy" in text


def test_a_plugin_is_called_by_its_title_and_found_by_it(admin: Client, tenants: Tenants) -> None:
    class Bell(pages.Pager):
        title = "Night bell"

    with pages.installed(Bell), tenant_scope(tenants.acme):
        record(Actor("ann@acme.example"), "plugin.enabled", "pager")
        record(Actor("ann@acme.example"), "tenant.resumed", "pager")
        record(Actor("ann@acme.example"), "plugin.enabled", "gone")
        found = admin.get("/settings/audit/?q=night+BELL").context["entries"]
        assert [entry.action for entry in found] == ["plugin.enabled"]
        text = " ".join(strip_tags(admin.get("/settings/audit/").content.decode()).split())
    assert "ann@acme.example enabled the plugin Night bell" in text
    assert "ann@acme.example resumed the organisation pager" in text
    assert "ann@acme.example enabled the plugin gone" in text


def test_settings_are_called_as_the_plugins_form_calls_them(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        record(Actor("ann@acme.example"), "plugin.configured", "pager", changed=["key", "level", "gone"])
        record(Actor("ann@acme.example"), "tenant.profile_changed", "pager", changed=["key"])
    page = admin.get("/settings/audit/").content.decode()
    assert "<dt>changed</dt><dd>Access key, Level, Gone</dd>" in page
    assert "<dt>changed</dt><dd>key</dd>" in page


def test_the_organisation_next_door_is_not_in_it(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.globex):
        record(Actor("gil@globex.example"), "plugin.enabled", "orders")
    assert "gil@globex.example" not in admin.get("/settings/audit/").content.decode()


def test_a_search_narrows_it_down(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        record(Actor("ann@acme.example"), "plugin.enabled", "orders")
        record(Actor("bob@acme.example"), "plugin.disabled", "orders")
    found = admin.get("/settings/audit/?q=ORDERS+ann").context["entries"]
    assert [entry.actor for entry in found] == ["ann@acme.example"]


def test_text_of_others_is_shown_as_text(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        record(Actor("<script>alert(1)</script>"), "<b>x</b>", "y", why="<img src=x>")
    text = admin.get("/settings/audit/").content.decode()
    assert "<script>alert" not in text
    assert "<img src=x>" not in text


def test_a_long_log_has_pages(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        for number in range(60):
            record(Actor("ann@acme.example"), "plugin.enabled", f"p{number}")
    assert len(admin.get("/settings/audit/").context["entries"]) == 50
    assert len(admin.get("/settings/audit/?page=2").context["entries"]) >= 10


def test_it_is_narrowed_down_by_area_and_day_of_the_organisations_zone(admin: Client, tenants: Tenants) -> None:
    admin.post("/settings/organisation/", {"name": "Acme", "timezone": "Asia/Tokyo"})
    with tenant_scope(tenants.acme):
        for action, at in (("person.invited", "2026-03-01T14:59Z"), ("person.invited", "2026-03-01T15:00Z")):
            AuditEntry.objects.filter(pk=record(Actor("ann"), action, at).pk).update(at=at)
        AuditEntry.objects.filter(pk=record(Actor("ann"), "plugin.enabled", "x").pk).update(at="2026-03-01T15:00Z")
    asked = {"area": "people", "since": "2026-03-02", "until": "2026-03-02"}
    assert [each.target for each in admin.get("/settings/audit/", asked).context["entries"]] == ["2026-03-01T15:00Z"]
    asked["since"] = "2026-03-01"
    assert len(admin.get("/settings/audit/", asked).context["entries"]) == 2


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "yesterday"},
        {"since": "2026-03-02", "until": "2026-03-01"},
        {"until": "9999-12-31"},
        {"since": "0001-01-01"},
        {"area": "\x00", "q": "\x00", "page": "-1"},
        {"q": "x" * 5000},
    ],
)
def test_what_makes_no_sense_is_said_and_no_error_of_ours(admin: Client, asked: dict[str, str]) -> None:
    for path in ("/settings/audit/", "/settings/audit/table/"):
        assert admin.get(path, asked).status_code == 200
    wrong = asked.get("since") == "yesterday" or asked.get("until") == "2026-03-01"
    assert bool(admin.get("/settings/audit/", asked).context["asked"].errors) is wrong


def test_all_of_what_was_asked_for_comes_as_a_table_without_formulas(
    admin: Client, tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_page, "AT_ONCE", 3)
    with tenant_scope(tenants.acme):
        for number in range(10):
            record(Actor("=cmd()"), "plugin.enabled", f"p{number}", why="it's, so")
    with tenant_scope(tenants.globex):
        record(Actor("gil@globex.example"), "plugin.enabled", "p1")
    answer = admin.get("/settings/audit/table/?area=plugins")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[arg-type]  # bytes
    assert answer["Content-Disposition"].startswith('attachment; filename="audit-log-')
    assert [row[3] for row in rows[1:]] == [f"p{number}" for number in reversed(range(10))]
    assert {row[1] for row in rows[1:]} == {"'=cmd()"}


def test_details_are_read_in_the_readers_language_and_the_organisations_time(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        profile.change(profile.Profile("Acme", "Asia/Kolkata"), Actor("ada@acme.example"))
        why = "Held back: Your organisation’s plan, Basic, does not include it."
        record(SYSTEM, "plugin.paused", "orders", reason=why, until="2026-11-28T20:05:00+00:00")
        record(SYSTEM, "person.role_changed", "eve@acme.example", before="member", after="admin", odd_thing=["a", True])
        record(SYSTEM, "plugin.paused", "orders", until="tomorrow", role="captain", before=["b", 1])
    text = admin.get("/settings/audit/", headers={"accept-language": "de"}).content.decode()
    for name, said in (
        ("Grund", "Zurückgehalten: Der Tarif Ihrer Organisation, Basic, enthält es nicht."),
        ("bis", "29.11.2026, 01:35 IST"),
        ("vorher", "Mitglied"),
        ("nachher", "Admin"),
        ("odd thing", "a, ja"),
        ("bis", "tomorrow"),
        ("Rolle", "captain"),
        ("vorher", "b, 1"),
    ):
        assert f"<dt>{name}</dt><dd>{said}</dd>" in text


@pytest.mark.parametrize(
    ("detail", "read"),
    [
        ({"message": "", "plugins": [], "limits": {}}, [("Plugins", "keine"), ("Grenzen", "keine")]),
        ({"count": 12345, "state": "Given up", "since": "2026-11-28T20:05:00+00:00", "picked": "1, 2"},
         [("Anzahl", "12.345"), ("Zustand", "Aufgegeben"), ("geschehen ab", "28.11.2026, 20:05 UTC"), ("ausgewählt", "1, 2")]),
        ({"delivery": 12345, "was": "dead"}, [("Zustellung", "12345"), ("war", "Aufgegeben")]),
        ({"made_at": "2026-11-28T20:05:00+00:00", "was": "done"}, [("Archiv vom", "28.11.2026, 20:05 UTC"), ("war", "done")]),
        ({"state": "suspended", "odd": 12345}, [("Zustand", "Gesperrt"), ("odd", "12345")]),
        ({"limits": {"people": 1234, "storage": 2048, "odd": 1}}, [("Grenzen", "1.234 Personen, 2\xa0KB, odd: 1")]),
        ({"rows": {"a_table": 12345}, "files": 1234}, [("Zeilen", "a_table: 12.345"), ("Dateien", "1.234")]),
        ({"new": ["sends_to: Slack", "odd"]}, [("neu", "Es schickt Daten an: Slack; odd")]),
        ({"from": 1, "to": 2, "default": True}, [("von Version", "1"), ("auf Version", "2"), ("von Anfang an", "ja")]),
        ({"to": 2, "after": "admin", "from": 1, "before": "member"},
         [("von Version", "1"), ("vorher", "Mitglied"), ("auf Version", "2"), ("nachher", "Admin")]),
    ],
)  # fmt: skip
def test_each_kind_of_detail_has_its_words(detail: dict[str, object], read: list[tuple[str, str]]) -> None:
    with translation.override("de"):
        assert details(detail) == read


def test_who_has_registered_is_named_once_and_whom_somebody_has_registered_as_well(
    admin: Client, tenants: Tenants
) -> None:
    with tenant_scope(tenants.acme):
        record(Actor("new@acme.example"), "person.registered", "new@acme.example")
        record(Actor("new@acme.example"), "person.exported", "new@acme.example")
        record(COMMAND_LINE, "person.registered", "other@acme.example")
    for path in ("/", "/settings/audit/"):
        text = admin.get(path).content.decode()
        assert [text.count(f"<code>{name}@acme.example</code>") for name in ("new", "other")] == [1, 1]


def test_the_command_line_and_the_platforms_staff_are_named_in_the_readers_language(
    admin: Client, tenants: Tenants
) -> None:
    with tenant_scope(tenants.acme):
        for actor in (COMMAND_LINE, person("root@platform.example", staff=True)):
            record(actor, "plugin.enabled", "orders")
    for path in ("/", "/settings/audit/"):
        text = admin.get(path, headers={"accept-language": "de"}).content.decode()
        assert "Kommandozeile</strong>" in text
        assert "root@platform.example (Personal der Plattform)</strong>" in text


def test_whatever_is_recorded_has_words() -> None:
    calls = [
        call
        for path in sources()
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
    ]
    said = [call for call in calls if getattr(call.func, "id", "") in RECORDING]
    actions = {
        each.value for call in said for each in call.args if isinstance(each, ast.Constant) and "." in str(each.value)
    }
    assert {"plugin.enabled", "tenant.retried", "person.erased"} <= actions
    assert {action for action in actions if action_words(str(action)) == action} == set()
    names = {each.arg for call in said for each in call.keywords if each.arg}
    assert {"purge_at", "was", "organisations"} <= names
    assert {name for name in names if name not in _NAMES} == set()


def sources() -> list[Path]:
    return [path for folder in ("plugin_framework", "saas", "tenants") for path in (ROOT / folder).rglob("*.py")]
