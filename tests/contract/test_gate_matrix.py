"""Every reason why a plugin does not run, on every surface where it could. A reason or a surface without its cell fails."""

from __future__ import annotations

import ast
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client

from plugin_framework import activation, configuration, hooks, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog import plans
from plugin_framework.catalog.offers import set_offer
from plugin_framework.delivery import folding, lanes, sample
from plugin_framework.delivery.lane_run import run_lane
from plugin_framework.delivery.options import Options
from plugin_framework.delivery.redeliver import redeliver
from plugin_framework.delivery.slots import allocate
from plugin_framework.explain import explain
from plugin_framework.gate import Reason
from plugin_framework.models import Delivery, PluginSetting, PluginState
from plugin_framework.registry import registry
from plugin_framework.sdk import NotAllowed, plugin_registry
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.console import fleet_view
from saas.testing.people import person
from tests.conftest import Tenants
from tests.dummies.gated import HEARD

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class World:
    """acme with the plugin enabled and running, one delivery of it queued, a file of it, and acme's admin."""

    tenant: TenantRef
    admin: Client
    queued: int
    file: str


# --- how each reason comes about --------------------------------------------------------------------------------------


def _forget_the_code() -> None:
    registry.specs.pop("gated")
    lifecycle.bump_tenant()


def _quarantine() -> None:
    _forget_the_code()
    registry.quarantine["gated"] = "it is spoilt"


def _spoil_settings() -> None:
    PluginSetting.objects.filter(plugin_name="gated").delete()
    PluginState.objects.filter(plugin="gated").update(settings_revision=lifecycle.bump_tenant())


def _fail_to_start() -> None:
    configuration.configure("gated", SYSTEM, {"number": -1})


def _save_with_a_newer_version() -> None:
    """As a process with the next release would, while this one still serves."""
    PluginState.objects.filter(plugin="gated").update(config_version=99, settings_revision=lifecycle.bump_tenant())


REASONS: dict[Reason, Callable[[], object]] = {
    Reason.QUARANTINED: _quarantine,
    Reason.MISSING: _forget_the_code,
    Reason.WITHDRAWN: lambda: set_offer("gated", "withdrawn", message="Recalled."),
    Reason.NOT_OFFERED: lambda: set_offer("gated", "listed"),
    Reason.NOT_IN_PLAN: lambda: (plans.define("small", "Small", ["canary"]), plans.assign("small")),
    Reason.DISABLED: lambda: lifecycle.disable("gated", SYSTEM),
    Reason.DEPENDENCY: lambda: set_offer("canary", "withdrawn"),
    Reason.NEEDS_SETUP: _spoil_settings,
    Reason.FAILED_TO_START: _fail_to_start,
    Reason.PAUSED: lambda: lifecycle.pause("gated", SYSTEM, reason="It kept pages waiting.", seconds=600),
    Reason.UPDATING: _save_with_a_newer_version,
}


ASKING = {"current", "of_many"}  # the functions that give an active set
KEPT_FOR_LATER = {
    Reason.NEEDS_SETUP,
    Reason.FAILED_TO_START,
    Reason.PAUSED,
    Reason.UPDATING,
}  # it was set up and will run again


# --- what each surface shows while the plugin runs (True), and must not show otherwise ---------------------------------


def _list_page(world: World) -> bool:
    found = {info.name: info for info in world.admin.get("/settings/plugins/").context["plugins"]}
    return bool(found["gated"].runs)


def _detail_page(world: World) -> bool:
    return bool(world.admin.get("/settings/plugins/gated/").context["plugin"].runs)


def _settings(world: World) -> bool:
    with tenant_scope(world.tenant):
        return lifecycle.status("gated").decision.runs


def _pages(world: World) -> bool:
    answers = [world.admin.get("/apps/gated/"), world.admin.post("/apps/gated/"), world.admin.head("/apps/gated/")]
    assert len({answer.status_code for answer in answers}) == 1
    return answers[0].status_code not in (404, 503)


def _files(world: World) -> bool:
    answer = world.admin.get(f"/files/{world.file}")
    assert answer.status_code in (200, 404)
    answer.close()
    return answer.status_code == 200


def _navigation(world: World) -> bool:
    return "The gated entry" in world.admin.get("/").content.decode()


def _banners(world: World) -> bool:
    return "The gated banner" in world.admin.get("/").content.decode()


def _panels(world: World) -> bool:
    return "The gated panel" in world.admin.get("/").content.decode()


def _queued(world: World) -> bool:
    """A delivery written while it still ran, taken up by a worker now."""
    HEARD.clear()
    slot = allocate(1)[0]
    slot.record.lease_until = time.monotonic() + 60
    with public_scope():
        folding.fold()
        while (lane := lanes.claim("test", 60)) is not None:
            run_lane(lane, slot, Options(), lambda: False, lambda seconds: None)
    return "queued" in HEARD


def _redelivery(world: World) -> bool:
    with tenant_scope(world.tenant):
        try:
            redeliver(world.queued, SYSTEM)
        except NotAllowed:
            return False
    return True


def _sample(world: World) -> bool:
    with tenant_scope(world.tenant):
        try:
            sample.send("gated", "gated_event", SYSTEM, None)
        except NotAllowed:
            return False
    return True


def _command_line(world: World) -> bool:
    said = io.StringIO()
    call_command("plugins", "list", "--tenant", world.tenant.slug, "--json", stdout=said)
    return {row["plugin"]: row["state"] for row in json.loads(said.getvalue())}["gated"] == "runs"


def _explained(world: World) -> bool:
    with tenant_scope(world.tenant):
        return any(each.runs for each in explain("gated_action") if each.plugin == "gated")


def _action(world: World) -> bool:
    with tenant_scope(world.tenant):
        return hooks.call_hook("gated_action", "now") == ["now"]


def _filter(world: World) -> bool:
    with tenant_scope(world.tenant):
        return bool(hooks.apply_filters("gated_filter", "plain") == "plain, filtered")


def _event(world: World) -> bool:
    with tenant_scope(world.tenant):
        before = Delivery.objects.count()
        hooks.emit("gated_event", "later")
        return Delivery.objects.count() > before


def _fleet(world: World) -> bool:
    with tenant_scope(world.tenant):
        rows = {row.ref.slug: row for row in fleet_view.page(fleet_view.Criteria(plugin="gated")).rows}
    return rows[world.tenant.slug].cells[0].kind == "runs"


def _sdk(world: World) -> bool:
    with tenant_scope(world.tenant):
        return "gated" in plugin_registry.enabled_plugins


# By the module that asks for the tenant's active set; a new one has to be added here, with what it shows.
SURFACES: dict[str, list[Callable[[World], bool]]] = {
    "plugin_framework/changing.py": [_settings],
    "plugin_framework/delivery/lane_run.py": [_queued],
    "plugin_framework/delivery/redeliver.py": [_redelivery],
    "plugin_framework/delivery/sample.py": [_sample],
    "plugin_framework/explain.py": [_explained],
    "plugin_framework/hooks.py": [_action, _filter, _event],
    "plugin_framework/lifecycle.py": [_command_line],
    "plugin_framework/middleware.py": [_pages],
    "plugin_framework/runtime.py": [_sdk],
    "saas/banners.py": [_banners],
    "saas/console/fleet_view.py": [_fleet],
    "saas/context.py": [_navigation],
    "saas/site/dashboard.py": [_panels],
    "saas/site/files.py": [_files],
    "saas/site/plugin_info.py": [_list_page, _detail_page],
}


@pytest.fixture
def world(committed_db: str, tenants: Tenants, client_for: Callable[..., Client]) -> Iterator[World]:
    before = dict(registry.specs), dict(registry.quarantine)
    with tenant_scope(tenants.acme):
        configuration.configure("canary", SYSTEM, {"canary": "tweet"})
        configuration.configure("gated", SYSTEM, {"number": 1})
        lifecycle.enable("gated", SYSTEM)
        hooks.emit("gated_event", "queued")
        queued = Delivery.objects.get(hook="gated_event").pk
        file = default_storage.save("gated/note.txt", ContentFile(b"a note"))
    yield World(tenants.acme, client_for(tenants.acme, person(tenants.acme, "admin")), queued, file)
    registry.specs, registry.quarantine = before
    activation.cache.clear()


def shown(world: World) -> dict[str, bool]:
    return {look.__name__: look(world) for looks in SURFACES.values() for look in looks}


def test_every_reason_has_its_row() -> None:
    assert set(REASONS) == set(Reason) - {Reason.RUNS}


def test_every_module_that_asks_for_the_active_set_has_its_column() -> None:
    asking = set()
    for package in ("plugin_framework", "saas", "tenants"):
        for path in sorted((ROOT / package).rglob("*.py")):
            names = {
                node.attr for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute)
            }
            asks = any(f"activation.{name}" in path.read_text("utf-8") for name in ASKING & names)
            if asks:
                asking.add(path.relative_to(ROOT).as_posix())
    assert asking - {"plugin_framework/activation.py"} == set(SURFACES)


def test_while_it_runs_it_is_seen_everywhere(world: World) -> None:
    assert {name for name, seen in shown(world).items() if not seen} == set()


@pytest.mark.parametrize("reason", REASONS)
def test_when_it_does_not_run_it_is_seen_nowhere(world: World, reason: Reason) -> None:
    with tenant_scope(world.tenant):
        REASONS[reason]()
    found = shown(world)
    with tenant_scope(world.tenant):
        assert activation.current().decision("gated").reason is reason
    assert {name for name, seen in found.items() if seen} == ({"_event"} if reason in KEPT_FOR_LATER else set())


def test_a_plugin_that_was_never_set_up_is_owed_no_events(world: World, tenants: Tenants) -> None:
    with tenant_scope(tenants.globex):
        configuration.configure("canary", SYSTEM, {"canary": "tweet"})
        lifecycle.enable("gated", SYSTEM)
        assert activation.current().decision("gated").reason is Reason.NEEDS_SETUP
        hooks.emit("gated_event", "early")
        assert not Delivery.objects.exists()


def test_events_that_were_kept_reach_the_plugin_when_it_runs_again(world: World) -> None:
    with tenant_scope(world.tenant):
        lifecycle.pause("gated", SYSTEM, reason="It kept pages waiting.", seconds=600)
        hooks.emit("gated_event", "kept")
    _queued(world)
    assert HEARD == []
    with tenant_scope(world.tenant):
        lifecycle.resume("gated", SYSTEM)
    _queued(world)
    assert HEARD == ["queued", "kept"]
