"""What the engine binds into the SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from plugin_framework import (
    activation,
    changing,
    configuration,
    hooks,
    inspection,
    languages,
    lifecycle,
    loader,
    sealed_columns,
    tenancy,
)
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.delivery.context import NO_EXCHANGE, current_delivery
from plugin_framework.delivery.once import exactly_once
from plugin_framework.delivery.outcome import exchanged
from plugin_framework.models import PluginSetting
from plugin_framework.registry import registry
from plugin_framework.sdk import NotAllowed
from plugin_framework.sdk.net import HttpResponse, NetworkPolicy


class EngineRuntime:
    """The engine's side of `plugin_framework.sdk._runtime.Runtime`."""

    call_hook = staticmethod(hooks.run_action)
    apply_filters = staticmethod(hooks.apply_filters)
    emit = staticmethod(hooks.emit)

    exactly_once = staticmethod(exactly_once)
    in_language_of = staticmethod(languages.spoken_to)

    def on_public_host(self) -> bool:
        return tenancy.tenant_or_none() is None

    def network_policy(self) -> NetworkPolicy:
        loopback = bool(settings.PLUGIN_ALLOW_LOOPBACK)
        return NetworkPolicy(allow_loopback=loopback, allow_http=loopback)

    def delivery_key(self) -> str | None:
        delivery = current_delivery()
        return delivery.key if delivery else None

    def delivery_is_sample(self) -> bool:
        delivery = current_delivery()
        return delivery is not None and delivery.sample

    def delivery_answered(self, answer: int | HttpResponse) -> None:
        delivery = current_delivery()
        if delivery is None:
            return
        if isinstance(answer, HttpResponse):
            delivery.response_status = answer.status
            delivery.exchange = exchanged(answer.method, answer.host, answer.text())
        else:
            delivery.response_status, delivery.exchange = answer, NO_EXCHANGE

    def get_setting(self, plugin: str, key: str, default: Any) -> Any:
        found = PluginSetting.objects.filter(plugin_name=plugin, key=key).first()
        return default if found is None else found.value

    def set_setting(self, plugin: str, key: str, value: Any) -> None:
        if key in registry.specs[plugin].schema.properties:
            raise NotAllowed(f"{key!r} belongs to the settings form of {plugin}; only the tenant's admin changes it.")
        PluginSetting.objects.update_or_create(plugin_name=plugin, key=key, defaults={"value": value})
        bump_tenant()

    seal = staticmethod(sealed_columns.seal)
    unseal = staticmethod(sealed_columns.unseal)

    def plugins(self) -> Mapping[str, Any]:
        return registry.plugins

    def enabled_plugins(self) -> Mapping[str, Any]:
        return activation.current().plugins

    def register_plugin(self, plugin: Any) -> None:
        cls = plugin if isinstance(plugin, type) else type(plugin)
        spec = inspection.inspect_plugin(cls, {})
        if spec.name in registry.specs:
            raise ValueError(f"Plugin {spec.name} already registered")
        for requirement in spec.requires:
            if requirement.name not in registry.specs:
                raise ValueError(f"Plugin {spec.name} requires {requirement.name}")
        inspection.check_signatures(spec, registry.points)
        loader.install(registry, {spec.name: spec})

    def enable_plugin(self, name: str, config: dict[str, Any] | None) -> None:
        if config is not None:
            schema = changing.spec_of(name).schema
            public, secrets = schema.split(config)
            configuration.configure(name, SYSTEM, public, secrets=secrets)
        lifecycle.enable(name, SYSTEM)

    def disable_plugin(self, name: str) -> None:
        lifecycle.disable(name, SYSTEM)
