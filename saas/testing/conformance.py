"""What every plugin must be, whoever wrote it. Derive a class from `Conformance` in your tests, and it is tried on your plugin.

    from saas.testing.conformance import Conformance

    class TestConformance(Conformance):
        pass

It looks at the plugin that `tenantry_plugin` names in pyproject.toml. Where an example made from the schema is no valid setting,
override the fixture `config` with settings that are.
"""

from __future__ import annotations

import ast
import copy
import io
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from plugin_framework import lifecycle, purge
from plugin_framework.config import compile_schema
from plugin_framework.db.rollout import judged
from plugin_framework.registry import PluginSpec, registry
from plugin_framework.sdk import CheckResult, ConfigurablePlugin, TenantInfo
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing import actions, source
from saas.testing.people import person

_SENDING = {"http", "smtp"}  # attributes of `self` that reach other hosts
_BARRED = {"socket", "smtplib", "http.client", "urllib.request", "requests", "httpx", "aiohttp", "subprocess", "ssl"}
_OURS = ("plugin_framework", "saas", "tenants", "tests")


class Conformance:
    """The suite: what it says of itself, its settings, its code, and its life in a tenant."""

    @pytest.fixture
    def spec(self, plugin_name: str) -> PluginSpec:
        """What the platform knows of the plugin."""
        if plugin_name not in registry.specs:
            pytest.fail(actions.absent(plugin_name))
        return registry.specs[plugin_name]

    @pytest.fixture
    def config(self, spec: PluginSpec) -> dict[str, Any]:
        """The least settings with which it can run."""
        required = spec.schema.document.get("required", ())
        return {name: source.example(spec.schema.properties[name]) for name in required}

    def test_it_says_what_it_is(self, spec: PluginSpec) -> None:
        assert spec.cls.title, "give it a `title`"
        assert spec.description.endswith("."), "`description` is a sentence"
        assert len(spec.description) <= 120, "`description` is one short sentence; `details` may be longer"
        assert spec.cls.category != "Other", "choose a `category`"
        assert spec.cls.__doc__, "the class has a docstring"
        assert spec.cls.reads, "say in `reads` which data it looks at"

    def test_its_schema_compiles_and_does_not_depend_on_the_instance(self, spec: PluginSpec) -> None:
        plugin = spec.new()
        if isinstance(plugin, ConfigurablePlugin):
            given = plugin.get_config_schema()
            before = copy.deepcopy(given)
            given.get("properties", {}).clear()
            for each in (plugin, spec.new()):
                again = each.get_config_schema() if isinstance(each, ConfigurablePlugin) else None
                assert again == before, "get_config_schema() makes a new dictionary each time, always the same"
            compile_schema(before)

    def test_every_field_has_a_title(self, spec: PluginSpec) -> None:
        for name, field in spec.schema.properties.items():
            assert field.get("title"), f"{name} has no title"
            for inner in (field, field.get("items", {})):
                if "enum" in inner and "x-enum-labels" in inner:
                    labels = set(inner["x-enum-labels"])
                    assert labels == set(inner["enum"]), f"{name}: a label for each choice, and no other"

    def test_its_defaults_are_valid(self, spec: PluginSpec) -> None:
        checked = spec.schema.validate({})
        required = set(spec.schema.document.get("required", ()))
        missing = {(name,) for name in required if name not in checked.config}
        wrong = [error for error in checked.errors if error.path not in missing]
        assert not wrong, f"without any settings, more is wrong than what has to be filled in: {wrong}"

    def test_it_starts_and_stops_with_the_least_settings(self, spec: PluginSpec, config: dict[str, Any]) -> None:
        checked = spec.schema.validate(config)
        assert checked.errors == (), "override the fixture `config` with settings that are valid"
        plugin = spec.new()
        plugin.tenant, plugin.settings = TenantInfo("acme", "Acme", "acme.localhost"), checked.config
        plugin.initialize(dict(checked.config))
        plugin.nav_items()
        plugin.cleanup()
        plugin.cleanup()

    def test_it_has_a_readme_that_names_its_settings_and_hooks(self, spec: PluginSpec) -> None:
        text = source.readme(spec)
        assert text, "write a README.md (`readme` in pyproject.toml), and install the package again"
        for word in [spec.name, *spec.schema.properties, *(handler.hook for handler in spec.handlers)]:
            assert f"`{word}`" in text, f"README.md does not mention `{word}`"
        for point in spec.cls.declares:
            assert point.name in text, f"README.md does not mention {point.name}"
        for host in spec.cls.sends_to:
            assert host in text or " " in host, f"README.md does not mention {host}"

    def test_it_imports_the_sdk_and_nothing_else_of_ours(self, spec: PluginSpec) -> None:
        own = source.top(spec)
        for path, tree in source.trees(spec):
            for name in source.imported(tree):
                first = name.split(".")[0]
                of_sdk = f"{name}.".startswith("plugin_framework.sdk.")
                assert first not in _OURS or of_sdk, (
                    f"{path.name} imports {name}; only plugin_framework.sdk is for plugins"
                )
                assert not name.startswith("plugin_framework.sdk._"), f"{path.name} imports {name}, which is private"
                other = first == "plugins" and not f"{name}.".startswith(f"{own}.")
                assert not other, f"{path.name} imports {name}, another plugin"

    def test_it_logs_and_never_prints(self, spec: PluginSpec) -> None:
        for path, tree in source.trees(spec):
            calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
            prints = [call for call in calls if isinstance(call, ast.Name) and call.id == "print"]
            assert not prints, f"{path.name} prints; use self.log"

    def test_what_it_signs_is_good_in_one_tenant_alone(self, spec: PluginSpec) -> None:
        for path, tree in source.trees(spec):
            used = source.signs_by_itself(tree)
            assert not used, (
                f"{path.name} uses {', '.join(sorted(used))}; sign with django.core.signing, which carries the tenant"
            )

    def test_it_reaches_other_hosts_through_the_guard_only(self, spec: PluginSpec) -> None:
        for path, tree in source.trees(spec):
            for name in source.imported(tree):
                barred = {name, name.rpartition(".")[0]} & _BARRED
                assert not barred, f"{path.name} imports {name}; use self.http or self.smtp"

    def test_what_sends_says_where_to_and_can_be_tested(self, spec: PluginSpec) -> None:
        sends = any(source.uses_of_self(tree) & _SENDING for _, tree in source.trees(spec))
        assert bool(spec.cls.sends_to) is sends, "`sends_to` names the hosts it talks to, and only then"
        assert spec.can_check is sends, "what sends offers a test of its connection: override check()"
        if sends:
            assert spec.cls.check.__annotations__.get("return") in (CheckResult, "CheckResult")

    def test_hooks_it_handles_and_declares_are_documented(self, spec: PluginSpec) -> None:
        for handler in spec.handlers:
            assert handler.hook in registry.points, f"nobody declares {handler.hook}"
            assert getattr(spec.cls, handler.method).__doc__, f"{handler.method} has no docstring"
        for point in spec.cls.declares:
            assert point.doc.endswith("."), f"{point.name}: `doc` is a sentence"
            assert point.when, f"{point.name}: say in `when` when it fires"

    @pytest.mark.usefixtures("author_tenants")
    def test_its_migrations_are_its_models(self, spec: PluginSpec) -> None:
        if spec.app_label is not None:
            said = io.StringIO()
            try:
                call_command("makemigrations", spec.app_label, "--check", "--dry-run", stdout=said)
            except SystemExit as exit_:
                pytest.fail(f"makemigrations would write ({exit_.code}):\n{said.getvalue()}")

    def test_its_migrations_go_out_while_older_code_serves(self, spec: PluginSpec) -> None:
        found = [each for each in judged().values() if each.key[0] == spec.app_label]
        problems = [f"{each.key[1]}: {problem}" for each in found for problem in each.problems]
        assert not problems, f"see docs/operations/deploying.md: {problems}"

    def test_it_is_enabled_for_one_tenant_alone_and_leaves_nothing_when_it_is_purged(
        self, spec: PluginSpec, config: dict[str, Any], tenant: TenantRef, other_tenant: TenantRef
    ) -> None:
        tables = source.tables(tenant.schema)
        for _ in range(2):
            actions.enable(spec.name, config)
            lifecycle.disable(spec.name, actions.TESTS)
        actions.ask_about_nobody(spec)
        with tenant_scope(other_tenant):
            assert not lifecycle.status(spec.name).decision.runs
        elsewhere = source.tables(other_tenant.schema) - tables
        assert not elsewhere, f"another tenant has got tables: {sorted(elsewhere)}"
        purge.purge(spec.name, actions.TESTS, confirmation=spec.name)
        needed = {name for each in spec.requires for name in source.tables_of(each.name)}
        left = source.tables(tenant.schema) - tables - needed
        assert not left, f"purging has left {sorted(left)}; make tables by migrations only"

    def test_its_pages_answer_where_it_runs_and_nowhere_else(
        self, spec: PluginSpec, config: dict[str, Any], tenant: TenantRef, other_tenant: TenantRef
    ) -> None:
        actions.enable(spec.name, config)
        for path in source.plain_pages(spec):
            for ref, expected in ((tenant, {200, 301, 302, 403, 405}), (other_tenant, {404})):
                client = Client(headers={"host": ref.host}, raise_request_exception=False)
                with tenant_scope(ref):
                    client.force_login(person(ref, "member", f"{path.strip('/').replace('/', '-')}@example.com"))
                assert client.get(path).status_code in expected, f"{path} at {ref.slug}"
