"""The built-in plugins pass the suite that every plugin can run on itself. One that is added is tested by being there."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from packaging.version import Version

from plugin_framework.registry import PluginSpec, registry
from saas.testing import source
from saas.testing.conformance import Conformance

BUILT_IN = sorted(spec.name for spec in registry.specs.values() if spec.cls.__module__.startswith("plugins."))
REAL = {  # where no example would do
    "email_notifications": {"sender": "hello@acme.example"},
    "signup_rules": {"allowed_domains": ["acme.example"]},
    "slack_notifications": {"webhook_url": "https://hooks.slack.com/services/T0/B0/x"},
}


def test_there_is_something_to_test() -> None:
    assert {"email_notifications", "slack_notifications", "orders", "invoices", "signup_rules"} <= set(BUILT_IN)
    assert registry.quarantine == {}


class TestEveryBuiltInPlugin(Conformance):
    @pytest.fixture(params=BUILT_IN)
    def plugin_name(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def config(self, spec: PluginSpec) -> dict[str, Any]:
        required = spec.schema.document.get("required", ())
        return {name: source.example(spec.schema.properties[name]) for name in required} | REAL.get(spec.name, {})

    def test_it_imports_by_full_name(self, spec: PluginSpec) -> None:
        for path, tree in source.trees(spec):
            assert not [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level], path.name

    def test_it_says_what_is_new_in_the_installed_version(self, spec: PluginSpec) -> None:
        assert spec.changelog, "write a `changelog`"
        assert spec.changelog[0].version == spec.version, "the newest entry is the installed version's"
        versions = [Version(each.version) for each in spec.changelog]
        assert versions == sorted(versions, reverse=True), "newest first"

    def test_it_says_what_it_stores_if_it_has_tables(self, spec: PluginSpec) -> None:
        assert bool(spec.cls.stores) is (spec.app_label is not None), "`stores` names what its tables hold"

    def test_it_says_when_its_hook_points_do_not_fire(self, spec: PluginSpec) -> None:
        assert all(point.unless for point in spec.cls.declares)
