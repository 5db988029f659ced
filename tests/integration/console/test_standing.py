"""What is decided about a plugin for all organisations: on by default, required, deprecated; from the console and the command line."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from plugin_framework import activation, defaults, lifecycle
from plugin_framework.audit import SYSTEM, person
from plugin_framework.catalog import offers
from plugin_framework.models import AuditEntry
from plugin_framework.sdk import NotAllowed
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.console import actions
from tests.conftest import Tenants

pytestmark = pytest.mark.usefixtures("plugins")
STAFF = person("root@platform.example", staff=True)
DEPRECATE = {"availability": "deprecated", "message": "It goes in May.", "instead": "rota", "tenants": ""}


def _enable(tenant: TenantRef, *names: str) -> None:
    with tenant_scope(tenant):
        for name in names:
            lifecycle.enable(name, SYSTEM)


def _log(tenant: TenantRef) -> list[tuple[str, str]]:
    with tenant_scope(tenant):
        rows = AuditEntry.objects.filter(action__startswith="catalog.").order_by("pk")
        return list(rows.values_list("action", "target"))


def _stand(staff: Client, name: str, **flags: str) -> Any:
    return staff.post(f"/catalog/{name}/standing/", flags)


def plugins(*args: str) -> Any:
    said = io.StringIO()
    call_command("plugins", *args, "--json", stdout=said)
    return json.loads(said.getvalue())


def test_a_deprecated_plugin_runs_on_and_says_why_and_what_to_use(
    staff: Client, acme_admin: Client, tenants: Tenants
) -> None:
    _enable(tenants.acme, "clumsy")
    assert staff.post("/catalog/clumsy/", DEPRECATE).status_code == 302
    page = acme_admin.get("/settings/plugins/clumsy/")
    assert page.context["plugin"].runs
    assert "It goes in May." in page.content.decode()
    assert 'href="/settings/plugins/rota/">Rota</a> instead' in page.content.decode()
    assert "It goes in May." in acme_admin.get("/settings/plugins/").content.decode()
    (row,) = [row for row in plugins("list", "--tenant", "acme") if row["plugin"] == "clumsy"]
    assert (row["state"], row["note"]) == ("runs", "Deprecated: It goes in May. Use rota instead.")
    assert _log(tenants.acme) == [("catalog.deprecated", "clumsy")]


def test_a_deprecated_plugin_is_still_offered_and_its_newcomers_are_told(staff: Client, acme_admin: Client) -> None:
    staff.post("/catalog/clumsy/", DEPRECATE)
    assert "It goes in May." in acme_admin.get("/settings/plugins/clumsy/enable/").content.decode()
    acme_admin.post("/settings/plugins/clumsy/enable/")
    assert acme_admin.get("/settings/plugins/clumsy/").context["plugin"].runs


def test_one_that_was_for_listed_organisations_stays_theirs_when_it_is_deprecated(
    staff: Client, tenants: Tenants
) -> None:
    _enable(tenants.acme, "clumsy")
    staff.post("/catalog/clumsy/", {**DEPRECATE, "tenants": "globex"})
    for tenant, may in ((tenants.acme, True), (tenants.globex, True)):
        with tenant_scope(tenant):
            assert lifecycle.status("clumsy").decision.may_enable is may
    with tenant_scope(tenants.acme):
        lifecycle.disable("clumsy", SYSTEM)
        assert not lifecycle.status("clumsy").decision.may_enable


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"message": ""}, "message"),
        ({"message": "  "}, "message"),
        ({"instead": "clumsy"}, "instead"),
        ({"instead": "nothing_like_it"}, "instead"),
        ({"instead": "\x00"}, "instead"),
        ({"tenants": "nobody"}, "tenants"),
    ],
)
def test_a_bad_deprecation_comes_back_at_its_field(staff: Client, changes: dict[str, str], field: str) -> None:
    answer = staff.post("/catalog/clumsy/", {**DEPRECATE, **changes})
    assert (answer.status_code, set(answer.context["form"].errors)) == (422, {field})
    assert offers.current() == {}


def test_withdrawing_names_whom_it_hits_before_it_does_anything(staff: Client, tenants: Tenants) -> None:
    _enable(tenants.acme, "rota")
    wanted = {"availability": "withdrawn", "message": "It rang at night.", "tenants": ""}
    answer = staff.post("/catalog/pager/", wanted)
    assert answer.status_code == 409
    assert (answer.context["hit_total"], [ref.slug for ref in answer.context["hit"]]) == (1, ["acme"])
    page = answer.content.decode()
    assert "What needs it stops there as well: Rota." in page
    assert "It rang at night." in page
    assert offers.current() == {}
    assert staff.post("/catalog/pager/", {**wanted, "confirm": "yes"}).status_code == 302
    assert offers.current()["pager"].availability == "withdrawn"


def test_withdrawing_what_nobody_has_needs_no_second_look(staff: Client) -> None:
    assert staff.post("/catalog/pager/", {"availability": "withdrawn", "message": "No.", "tenants": ""})["Location"]


def test_a_required_plugin_cannot_be_disabled_and_everything_says_why(
    staff: Client, acme_admin: Client, tenants: Tenants
) -> None:
    _enable(tenants.acme, "clumsy")
    assert _stand(staff, "clumsy", required="on")["Location"] == "/catalog/clumsy/"
    why = "Clumsy is required by the platform, so it cannot be disabled."
    with tenant_scope(tenants.acme):
        assert why in str(activation.current().kept_on("clumsy"))
        with pytest.raises(NotAllowed, match=why):
            lifecycle.disable("clumsy", SYSTEM)
    with pytest.raises(CommandError, match="If it has to go, say in the catalog"):
        plugins("disable", "--tenant", "acme", "--plugin", "clumsy")
    assert (
        "Clumsy is required, so it cannot be disabled."
        in plugins("show", "--tenant", "acme", "--plugin", "clumsy")["note"]
    )
    page = acme_admin.get("/settings/plugins/clumsy/").content.decode()
    assert why in page
    assert "/settings/plugins/clumsy/disable/" not in page
    assert (
        "<button"
        not in acme_admin.get("/settings/plugins/clumsy/disable/")
        .content.decode()
        .split("<main")[1]
        .split("</main>")[0]
    )
    refused = acme_admin.post("/settings/plugins/clumsy/disable/", {"cascade": "on"})
    assert (refused.status_code, why in refused.content.decode()) == (409, True)
    assert (_log(tenants.acme), _log(tenants.globex)) == ([("catalog.required", "clumsy")], [])
    _stand(staff, "clumsy")
    acme_admin.post("/settings/plugins/clumsy/disable/")
    assert not acme_admin.get("/settings/plugins/clumsy/").context["plugin"].enabled


def test_what_a_required_plugin_needs_cannot_be_disabled_either(staff: Client, tenants: Tenants) -> None:
    _enable(tenants.acme, "rota")
    _stand(staff, "rota", required="on")
    with tenant_scope(tenants.acme):
        with pytest.raises(NotAllowed, match="Rota needs it and is required by the platform"):
            lifecycle.disable("pager", SYSTEM, cascade=True)
        assert lifecycle.status("pager").enabled


def test_what_is_withdrawn_can_be_disabled_although_it_is_required(staff: Client, tenants: Tenants) -> None:
    _enable(tenants.acme, "clumsy")
    _stand(staff, "clumsy", required="on")
    actions.offer("clumsy", actions.Availability.WITHDRAWN, STAFF, message="Gone.")
    with tenant_scope(tenants.acme):
        assert lifecycle.disable("clumsy", SYSTEM) == ["clumsy"]


def test_what_needs_settings_first_cannot_be_on_by_default(staff: Client, platform: TenantRef) -> None:
    answer = _stand(staff, "rota", on_by_default="on")
    assert answer.status_code == 409
    (error,) = answer.context["standing"].errors["on_by_default"]
    assert "Rota needs Pager. A new organisation would have to set Pager up first." in error
    assert "Platform settings have to say: Gateway: Required." in error
    assert offers.current() == {}
    assert _log(platform) == []


def test_platform_settings_make_it_possible_and_cannot_be_taken_away_again(staff: Client) -> None:
    staff.post("/catalog/pager/settings/", {"gateway": "pager.example"})
    assert _stand(staff, "rota", on_by_default="on").status_code == 302
    assert defaults.chosen() == ("pager", "rota")
    answer = staff.post("/catalog/pager/settings/", {"gateway": ""})
    assert answer.status_code == 422
    assert "New organisations begin with it." in answer.content.decode()
    assert offers.current()["pager"].settings == {"gateway": "pager.example"}


def test_one_that_is_not_offered_to_everyone_is_left_out_and_the_page_says_so(staff: Client) -> None:
    _stand(staff, "clumsy", on_by_default="on")
    assert defaults.chosen() == ("clumsy",)
    staff.post("/catalog/clumsy/", {"availability": "listed", "message": "", "tenants": "acme"})
    assert defaults.chosen() == ()
    assert "is not offered to everyone" in staff.get("/catalog/clumsy/").content.decode()
    (row,) = [row for row in plugins("list") if row["plugin"] == "clumsy"]
    assert (row["on_by_default"], "is not offered to everyone" in row["note"]) == (True, True)


def test_what_is_not_installed_cannot_be_on_by_default(staff: Client) -> None:
    assert _stand(staff, "broken", on_by_default="on").status_code == 409


def test_deciding_the_same_again_records_nothing(staff: Client, platform: TenantRef) -> None:
    for _ in range(2):
        _stand(staff, "clumsy", on_by_default="on", required="on")
    assert _log(platform) == [("catalog.on_by_default", "clumsy"), ("catalog.required", "clumsy")]


def test_the_command_line_decides_the_same(tenants: Tenants) -> None:
    _enable(tenants.acme, "clumsy")
    assert plugins("offer", "--plugin", "clumsy", "--to", "withdrawn", "--message", "No.", "--dry-run") == {
        "plugin": "clumsy",
        "would be": "withdrawn",
        "enabled in": 1,
    }
    assert offers.current() == {}
    plugins("offer", "--plugin", "clumsy", "--to", "deprecated", "--message", "May.", "--instead", "pager")
    plugins("standing", "--plugin", "clumsy", "--required", "yes")
    found = offers.current()["clumsy"]
    assert (found.availability, found.message, found.instead, found.required) == ("deprecated", "May.", "pager", True)
    plugins("offer", "--plugin", "clumsy", "--to", "listed", "--listed", "acme")
    assert offers.current()["clumsy"].granted == {tenants.acme.schema}
    assert offers.current()["clumsy"].required


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["offer"], "Say which plugin"),
        (["offer", "--plugin", "nothing_like_it", "--to", "hidden"], "There is no plugin"),
        (["offer", "--plugin", "clumsy"], "Say to whom"),
        (["offer", "--plugin", "clumsy", "--to", "withdrawn"], "why it is withdrawn"),
        (["offer", "--plugin", "clumsy", "--to", "hidden", "--message", "x"], "--message is for"),
        (["offer", "--plugin", "clumsy", "--to", "deprecated", "--message", "x", "--instead", "clumsy"], "no other"),
        (["offer", "--plugin", "clumsy", "--to", "listed"], "at least one"),
        (["offer", "--plugin", "clumsy", "--to", "listed", "--listed", "nobody"], "no organisation called nobody"),
        (["standing", "--plugin", "clumsy"], "Say what is decided"),
        (["standing", "--plugin", "pager", "--on-by-default", "yes"], "set Pager up first"),
    ],
)
def test_the_command_line_says_what_is_missing(tenants: Tenants, args: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        plugins(*args)
    assert offers.current() == {}
