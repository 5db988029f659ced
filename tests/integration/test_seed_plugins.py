"""Plugins written in the oldest style the project promises to run: name and version as properties, instances registered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugin_framework import activation
from plugin_framework.models import Delivery, PluginSetting
from plugin_framework.registry import registry
from plugin_framework.sdk import (
    ConfigurablePlugin,
    DatabasePlugin,
    NotAllowed,
    PluginInterface,
    event,
    hook,
    plugin_registry,
)
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants


class OldMail(PluginInterface):
    """Takes its settings with defaults of its own, and has no schema."""

    declares = (event("parcel_sent", "parcel", doc="A parcel left."),)

    @property
    def name(self) -> str:  # type: ignore[override]  # the old style, kept on purpose
        return "old_mail"

    @property
    def version(self) -> str:  # type: ignore[override]  # the same
        return "1.0.0"

    @property
    def description(self) -> str:  # type: ignore[override]  # the same
        return "Mails about parcels"

    def initialize(self, config: dict[str, Any]) -> None:
        self.host = config.get("smtp_host", "localhost")
        self.port = config.get("smtp_port", 587)
        self.seen: list[object] = []

    def cleanup(self) -> None:
        self.seen.clear()

    @hook("parcel_sent")
    def on_parcel(self, parcel: Any) -> None:
        self.seen.append(parcel)

    @hook("view_pre_dispatch")
    def on_view(self, view: Any, request: Any, *args: Any, **kwargs: Any) -> str:
        return f"{self.host}:{self.port}"


class OldChat(OldMail):
    """Needs the other one."""

    declares = ()

    @property
    def name(self) -> str:  # type: ignore[override]  # as above
        return "old_chat"

    @property
    def dependencies(self) -> list[str]:  # type: ignore[override]  # as above
        return ["old_mail"]

    @hook("view_error")
    def on_error(self, view: Any, request: Any, error: Any, *args: Any, **kwargs: Any) -> str:
        return str(error)


class OldForm(ConfigurablePlugin):
    """Has a schema and errors of its own, and no title or category."""

    @property
    def name(self) -> str:  # type: ignore[override]  # as above
        return "old_form"

    @property
    def version(self) -> str:  # type: ignore[override]  # as above
        return "0.9"

    def get_config_schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {
                "api_key": {"type": "string", "title": "API key"},
                "timeout": {"type": "integer", "title": "Timeout", "default": 30, "minimum": 1, "maximum": 300},
                "features": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
            },
            "required": ["api_key"],
        }

    def validate_config(self, config: dict[str, Any]) -> list[str]:
        return [] if config.get("api_key") else ["The API key is missing"]

    def initialize(self, config: dict[str, Any]) -> None:
        self.timeout = config["timeout"]

    def cleanup(self) -> None:
        del self.timeout


class OldStore(DatabasePlugin):
    """Keeps a key of its own."""

    @property
    def name(self) -> str:  # type: ignore[override]  # as above
        return "old_store"

    @property
    def version(self) -> str:  # type: ignore[override]  # as above
        return "1.0.0"

    def initialize(self, config: dict[str, Any]) -> None:
        self.config = config

    def cleanup(self) -> None:
        """Deletes nothing."""


@pytest.fixture
def registered() -> Iterator[None]:
    """The old plugins are installed: classes and instances alike."""
    specs, points = dict(registry.specs), dict(registry.points)
    for plugin in (OldMail(), OldChat, OldForm(), OldStore):
        plugin_registry.register_plugin(plugin)
    yield
    registry.specs, registry.points = specs, points
    activation.cache.clear()


@pytest.fixture
def acme(registered: None, tenants: Tenants) -> Iterator[Tenants]:
    with tenant_scope(tenants.acme):
        yield tenants


def test_an_instance_or_a_class_can_be_registered_once(registered: None) -> None:
    assert {"old_mail", "old_chat", "old_form", "old_store"} <= set(plugin_registry.plugins)
    assert plugin_registry.plugins["old_mail"].version == "1.0.0"
    with pytest.raises(ValueError, match="old_mail already registered"):
        plugin_registry.register_plugin(OldMail())


def test_a_missing_dependency_is_named(registered: None) -> None:
    del registry.specs["old_mail"], registry.specs["old_chat"]
    with pytest.raises(ValueError, match="old_chat requires old_mail"):
        plugin_registry.register_plugin(OldChat())


def test_enabling_takes_settings_and_enables_what_is_needed_first(acme: Tenants) -> None:
    plugin_registry.enable_plugin("old_chat", {"smtp_host": "chat.example"})
    assert [plugin.name for plugin in plugin_registry.get_enabled_plugins()] == ["old_mail", "old_chat"]
    assert plugin_registry.call_hook("view_pre_dispatch", None, None, "more", key=1) == [
        "localhost:587",
        "chat.example:587",
    ]
    plugin_registry.enable_plugin("old_chat")
    assert len(plugin_registry.enabled_plugins) == 2


def test_another_tenant_has_none_of_it(acme: Tenants) -> None:
    plugin_registry.enable_plugin("old_chat")
    with tenant_scope(acme.globex):
        assert dict(plugin_registry.enabled_plugins) == {}
        assert plugin_registry.call_hook("view_pre_dispatch", None, None) == []
        plugin_registry.call_hook("parcel_sent", {"id": 1})
        assert not Delivery.objects.exists()


def test_calling_the_hook_of_an_event_writes_a_delivery_for_each_handler(acme: Tenants) -> None:
    plugin_registry.enable_plugin("old_chat")
    assert plugin_registry.call_hook("parcel_sent", {"id": 7}) == []
    rows = Delivery.objects.filter(hook="parcel_sent")
    assert sorted((row.plugin, row.handler, row.payload[0]["id"]) for row in rows) == [
        ("old_chat", "on_parcel", 7),
        ("old_mail", "on_parcel", 7),
    ]


def test_a_handler_that_fails_does_not_keep_the_others_from_running(acme: Tenants) -> None:
    plugin_registry.enable_plugin("old_chat")
    del plugin_registry.enabled_plugins["old_mail"].host
    assert plugin_registry.call_hook("view_pre_dispatch", None, None) == ["localhost:587"]
    assert plugin_registry.call_hook("view_error", None, None, ValueError("boom")) == ["boom"]


def test_what_is_needed_cannot_be_disabled(acme: Tenants) -> None:
    plugin_registry.enable_plugin("old_chat")
    with pytest.raises(NotAllowed, match="Old chat"):
        plugin_registry.disable_plugin("old_mail")
    plugin_registry.disable_plugin("old_chat")
    plugin_registry.disable_plugin("old_mail")
    plugin_registry.disable_plugin("old_mail")
    assert plugin_registry.get_enabled_plugins() == []
    with pytest.raises(NotAllowed, match="nonesuch"):
        plugin_registry.enable_plugin("nonesuch")


def test_a_schema_brings_its_defaults_and_both_kinds_of_errors(acme: Tenants) -> None:
    with pytest.raises(ValueError, match="api_key: Required"):
        plugin_registry.enable_plugin("old_form", {"timeout": 5})
    with pytest.raises(ValueError, match="The API key is missing"):
        plugin_registry.enable_plugin("old_form", {"api_key": ""})
    plugin_registry.enable_plugin("old_form", {"api_key": "k"})
    assert plugin_registry.enabled_plugins["old_form"].timeout == 30


def test_a_database_plugin_keeps_its_keys_per_tenant_and_after_being_disabled(acme: Tenants) -> None:
    plugin_registry.enable_plugin("old_store")
    store = plugin_registry.enabled_plugins["old_store"]
    assert store.get_setting("count", 0) == 0
    store.set_setting("count", {"n": 3})
    store.set_setting("count", {"n": 4})
    assert store.get_setting("count") == {"n": 4}
    plugin_registry.disable_plugin("old_store")
    assert PluginSetting.objects.get(plugin_name="old_store", key="count").value == {"n": 4}
    with tenant_scope(acme.globex):
        assert store.get_setting("count", "none here") == "none here"


def test_a_hook_without_an_owner_is_refused() -> None:
    with pytest.raises(NotAllowed, match="owning plugin"):
        plugin_registry.register_hook("user_registered", lambda user: None)
