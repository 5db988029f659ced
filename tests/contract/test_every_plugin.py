"""What every installed plugin must be, whoever wrote it. A plugin that is added is tested by being there."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugin_framework.config import compile_schema
from plugin_framework.registry import PluginSpec, registry
from plugin_framework.sdk import CheckResult, ConfigurablePlugin, TenantInfo

TENANT = TenantInfo("acme", "Acme", "acme.localhost")
SPECS = [spec for spec in registry.specs.values() if not spec.cls.__module__.startswith("tests.")]
every_plugin = pytest.mark.parametrize("spec", SPECS, ids=[spec.name for spec in SPECS])
SENDING = {"http", "smtp"}  # attributes of `self` that reach other hosts
OURS = ("plugin_framework", "saas", "tenants", "tests")


def package(spec: PluginSpec) -> Path:
    """The folder the plugin is in."""
    module = importlib.import_module(spec.cls.__module__.rsplit(".", 1)[0])
    assert module.__file__ is not None
    return Path(module.__file__).parent


def trees(spec: PluginSpec) -> Iterator[tuple[Path, ast.Module]]:
    """Every module of the plugin, parsed."""
    for path in sorted(package(spec).rglob("*.py")):
        yield path, ast.parse(path.read_text("utf-8"))


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of all that is imported, at any depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "plugins import by full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def example(schema: dict[str, Any]) -> Any:
    """The smallest value that should fit, for fields that are required and have no default."""
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    by_format = {"email": "a@example.com", "uri": "https://hooks.slack.com/services/T0/B0/x", "hostname": "example.com"}
    by_type = {
        "string": by_format.get(schema.get("format", ""), "x" * max(schema.get("minLength", 1), 1)),
        "boolean": False,
    }
    return by_type.get(schema["type"], schema.get("minimum", 0))


def test_there_is_something_to_test() -> None:
    assert {"email_notifications", "slack_notifications", "orders"} <= set(registry.specs)
    assert registry.quarantine == {}


@every_plugin
def test_it_says_what_it_is(spec: PluginSpec) -> None:
    assert spec.cls.title
    assert spec.description.endswith(".")
    assert len(spec.description) <= 120
    assert spec.cls.category != "Other"
    assert spec.cls.__doc__
    assert spec.cls.reads, "say in `reads` which data it looks at"


@every_plugin
def test_its_schema_compiles_and_does_not_depend_on_the_instance(spec: PluginSpec) -> None:
    plugin = spec.new()
    assert isinstance(plugin, ConfigurablePlugin)
    first = plugin.get_config_schema()
    first.get("properties", {}).clear()
    assert plugin.get_config_schema() == spec.new().get_config_schema()  # type: ignore[attr-defined]  # as above
    compile_schema(plugin.get_config_schema())


@every_plugin
def test_every_field_has_a_title(spec: PluginSpec) -> None:
    for name, field in spec.schema.properties.items():
        assert field.get("title"), f"{name} has no title"
        for inner in (field, field.get("items", {})):
            if "enum" in inner and "x-enum-labels" in inner:
                assert set(inner["x-enum-labels"]) == set(inner["enum"]), (
                    f"{name}: a label for each choice, and no other"
                )


@every_plugin
def test_its_defaults_are_valid(spec: PluginSpec) -> None:
    checked = spec.schema.validate({})
    required = set(spec.schema.document.get("required", ()))
    assert {error.path for error in checked.errors} == {(name,) for name in required if name not in checked.config}


@every_plugin
def test_it_starts_and_stops_with_the_least_settings(spec: PluginSpec) -> None:
    required = spec.schema.document.get("required", ())
    config = spec.schema.validate({name: example(dict(spec.schema.properties[name])) for name in required})
    assert config.errors == ()
    plugin = spec.new()
    plugin.tenant, plugin.settings = TENANT, config.config
    plugin.initialize(dict(config.config))
    plugin.nav_items()
    plugin.cleanup()
    plugin.cleanup()


@every_plugin
def test_it_has_a_readme_that_names_its_settings_and_hooks(spec: PluginSpec) -> None:
    text = (package(spec) / "README.md").read_text("utf-8")
    assert f"`{spec.name}`" in text
    for word in [*spec.schema.properties, *(handler.hook for handler in spec.handlers)]:
        assert f"`{word}`" in text, f"README.md does not mention {word}"
    for point in spec.cls.declares:
        assert point.name in text
    for host in spec.cls.sends_to:
        assert host in text or " " in host


@every_plugin
def test_it_imports_the_sdk_and_nothing_else_of_ours(spec: PluginSpec) -> None:
    own = spec.cls.__module__.rsplit(".", 1)[0]
    for path, tree in trees(spec):
        for name in imported(tree):
            top = name.split(".")[0]
            assert top not in OURS or name.startswith("plugin_framework.sdk."), f"{path.name} imports {name}"
            assert not name.startswith("plugin_framework.sdk._"), f"{path.name} imports {name}, which is private"
            assert top != "plugins" or name.startswith(f"{own}."), f"{path.name} imports {name}, another plugin"


@every_plugin
def test_it_logs_and_never_prints(spec: PluginSpec) -> None:
    for path, tree in trees(spec):
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        assert not [call for call in calls if isinstance(call, ast.Name) and call.id == "print"], path.name


@every_plugin
def test_it_reaches_other_hosts_through_the_guard_only(spec: PluginSpec) -> None:
    banned = {"socket", "smtplib", "http.client", "urllib.request", "requests", "httpx", "subprocess", "ssl"}
    for path, tree in trees(spec):
        for name in imported(tree):
            assert not {name, name.rpartition(".")[0]} & banned, (
                f"{path.name} imports {name}; use self.http or self.smtp"
            )


@every_plugin
def test_what_sends_says_where_to_and_can_be_tested(spec: PluginSpec) -> None:
    sends = any(
        isinstance(node, ast.Attribute)
        and node.attr in SENDING
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
        for _, tree in trees(spec)
        for node in ast.walk(tree)
    )
    assert bool(spec.cls.sends_to) is sends, "`sends_to` names the hosts it talks to, and only then"
    assert spec.can_check is sends, "what sends offers a test of its connection"
    if sends:
        assert spec.cls.check.__annotations__["return"] in (CheckResult, "CheckResult")


@every_plugin
def test_hooks_it_handles_and_declares_are_documented(spec: PluginSpec) -> None:
    for handler in spec.handlers:
        assert handler.hook in registry.points, f"nobody declares {handler.hook}"
        assert getattr(spec.cls, handler.method).__doc__, f"{handler.method} has no docstring"
    for point in spec.cls.declares:
        assert point.doc.endswith(".")
        assert point.when
        assert point.unless
