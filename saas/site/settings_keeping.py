"""Keeps secrets that were typed in a page that has to be drawn again: sealed, so that nobody has to type them twice."""

from __future__ import annotations

import time
from dataclasses import dataclass

from plugin_framework import settings_store
from plugin_framework.secrets import SecretUnreadable
from plugin_framework.tenancy import current_tenant

SEALED = "sealed:"  # of a field's name: what was typed into it before
GOOD_FOR = 3600  # seconds; a page that lay about longer asks again


@dataclass(frozen=True, slots=True)
class Keeper:
    """Seals what was typed for one plugin's form in the current tenant; what is stored has other keys, and does not open here."""

    plugin: str

    def seal(self, name: str, text: str) -> str:
        """`text`, typed into the field `name`, as the page may have it."""
        return settings_store.box().seal(f"{int(time.time())}:{text}", **self._place(name))

    def open(self, name: str, token: str) -> str | None:
        """What was typed; None if it was too long ago, or this is no token for this field here."""
        try:
            at, _colon, text = settings_store.box().open(token, **self._place(name)).partition(":")
        except SecretUnreadable:
            return None
        return text if time.time() - int(at) < GOOD_FOR else None

    def _place(self, name: str) -> dict[str, str]:
        return {"tenant": current_tenant().schema, "plugin": self.plugin, "field": f"typed\x1f{name}"}
