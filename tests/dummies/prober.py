"""A plugin with a handler of each kind, which says for whom it was called: by its own instance, and by what is current."""

from __future__ import annotations

from typing import Any

from plugin_framework.sdk import ConfigurablePlugin, action, event, filter_value, hook
from plugin_framework.tenancy import current_tenant
from tenants.accounts.models import User


class Prober(ConfigurablePlugin):
    """Answers with its tenant's mark, from its settings and from its tenant's rows."""

    name, version = "prober", "1.0.0"
    declares = (
        action("probe", doc="A test asks.", when="When it does."),
        filter_value("probe_value", "value", doc="A test asks.", when="When it does."),
        event("probe_event", "what", doc="A test asks.", when="When it does."),
    )

    def get_config_schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {"mark": {"type": "string"}}}

    def initialize(self, config: dict[str, Any]) -> None:
        self.mark = config["mark"]

    def cleanup(self) -> None:
        pass

    @hook("probe")
    def probe(self) -> tuple[str, str, str, list[str]]:
        names = list(User.objects.values_list("name", flat=True))
        return self.tenant.slug, self.mark, current_tenant().slug, names

    @hook("probe_value")
    def add(self, value: list[str]) -> list[str]:
        return [*value, self.mark]

    @hook("probe_event")
    def hear(self, what: str) -> None:
        pass
