"""A process with the older version of a plugin, on what the newer one has saved: it leaves all as it is, and the work to others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugin_framework import activation, configuration, lifecycle, settings_history, upgrades
from plugin_framework.audit import SYSTEM
from plugin_framework.configuration import Invalid, SavedByNewer
from plugin_framework.delivery import schedule
from plugin_framework.delivery.models import Schedule
from plugin_framework.gate import Reason
from plugin_framework.models import PluginSetting, PluginState
from plugin_framework.sdk import ConfigurablePlugin, daily
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from tenants.fleet import Options, migrate_everything, plan
from tests.conftest import Tenants
from tests.dummies.pages import installed


class Pager(ConfigurablePlugin):
    """The old version."""

    name, version = "pager", "1.0.0"

    def get_config_schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {"number": {"type": "string", "default": "112"}}}

    def initialize(self, config: dict[str, Any]) -> None:
        self.config = config

    def cleanup(self) -> None:
        """Holds nothing."""

    @daily()
    def count(self) -> None:
        """Both versions have it."""


class NewPager(Pager):
    """The new one: another name for the number, and another job."""

    version, config_version = "2.0.0", 2

    def get_config_schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {"phone": {"type": "string", "default": "112"}}}

    def migrate_config(self, old: dict[str, Any], from_version: int) -> dict[str, Any]:
        return {"phone": old["number"]} if "number" in old else old

    @daily()
    def tidy(self) -> None:
        """Only the new version has it."""


@pytest.fixture
def acme(tenants: Tenants) -> Iterator[TenantRef]:
    """acme, which has set up the old version; nothing of the database's jobs."""
    with installed(Pager), tenant_scope(tenants.acme):
        configuration.configure("pager", SYSTEM, {"number": "911"})
        lifecycle.enable("pager", SYSTEM)
    activation.cache.clear()
    return tenants.acme


def _stored() -> dict[str, Any]:
    return dict(PluginSetting.objects.filter(plugin_name="pager").values_list("key", "value"))


def _jobs(tenant: TenantRef) -> set[str]:
    with public_scope():
        return set(Schedule.objects.filter(tenant_schema=tenant.schema, plugin="pager").values_list("job", flat=True))


def test_the_new_shape_is_saved_at_the_end_of_the_deploy_and_not_before(acme: TenantRef) -> None:
    with installed(NewPager):
        assert [outcome.who for outcome in migrate_everything()] == ["public", "acme"], "for the version's sake"
        with tenant_scope(acme):
            assert _stored() == {"number": "911"}
            assert activation.current().plugins["pager"].config == {"phone": "911"}
        assert [(ref.slug, lacks.settings) for ref, lacks in plan(Options()).later] == [("acme", ("pager",))]
        assert plan(Options()).waiting == ()
    with installed(Pager), tenant_scope(acme):
        activation.cache.clear()
        assert activation.current().plugins["pager"].config == {"number": "911"}, "the old version runs on"
    activation.cache.clear()
    with installed(NewPager):
        assert [outcome.who for outcome in migrate_everything(Options(finish=True))] == ["public", "acme"]
        with tenant_scope(acme):
            assert _stored() == {"phone": "911"}
        assert plan(Options(finish=True)).waiting == ()


def test_the_old_version_rests_where_the_new_one_has_saved_and_cannot_save_over_it(acme: TenantRef) -> None:
    with installed(NewPager), tenant_scope(acme):
        revision = configuration.configure("pager", SYSTEM, {"phone": "999"})
    activation.cache.clear()
    with installed(Pager), tenant_scope(acme):
        decision = activation.current().decision("pager")
        assert decision.reason is Reason.UPDATING
        assert "saved by a newer version" in decision.text
        with pytest.raises(SavedByNewer, match="Try again in a few minutes"):
            configuration.configure("pager", SYSTEM, {"number": "1"})
        with pytest.raises(Invalid, match="A newer version of the plugin has saved these"):
            configuration.restore("pager", SYSTEM, revision)
        assert upgrades.upgrade() == []
        assert _stored() == {"phone": "999"}
        assert settings_history.states("pager")[0].values == {"phone": "999"}
        lifecycle.disable("pager", SYSTEM)
        lifecycle.enable("pager", SYSTEM)
        state = PluginState.objects.get(plugin="pager")
        assert (state.version, state.config_version) == ("1.0.0", 2)
        assert _stored() == {"phone": "999"}
    activation.cache.clear()
    with installed(NewPager), tenant_scope(acme):
        assert activation.current().plugins["pager"].config == {"phone": "999"}


def test_an_older_process_leaves_the_jobs_of_a_newer_version_alone(acme: TenantRef) -> None:
    with installed(NewPager):
        list(migrate_everything())
        assert _jobs(acme) == {"count", "tidy"}
    with installed(Pager), tenant_scope(acme):
        schedule.sync()  # as it does when somebody enables any plugin there
        assert _jobs(acme) == {"count", "tidy"}
        list(migrate_everything())  # an older deploy that comes late
        assert PluginState.objects.get(plugin="pager").version == "2.0.0"
        assert _jobs(acme) == {"count", "tidy"}
        lifecycle.disable("pager", SYSTEM)
        assert _jobs(acme) == set()
