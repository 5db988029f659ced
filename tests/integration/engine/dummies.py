"""Plugins for the tests of the engine. What their handlers did is in `CALLS`; what they shall do is told by their class."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection

from plugin_framework.sdk import (
    ConfigurablePlugin,
    PluginInterface,
    Veto,
    action,
    apply_filters,
    call_hook,
    event,
    filter_value,
    hook,
)
from plugin_framework.tenancy import tenant_or_none

CALLS: list[tuple[str, str]] = []  # (plugin, what)
LIVES: list[tuple[str, int]] = []  # ("made" or "cleaned", the settings' number)


class Bare(PluginInterface):
    """The least a plugin can be."""

    version = "1.0.0"

    def initialize(self, config: dict[str, Any]) -> None:
        """Takes nothing."""

    def cleanup(self) -> None:
        """Gives nothing back."""


class Caller(Bare):
    """Declares the hook points that the others handle."""

    name = "caller"
    declares = (
        action("knock", "who", doc="Somebody knocks."),
        action("ask", "who", doc="Somebody asks.", may_veto=True),
        filter_value("polish", "text", doc="A text is polished."),
        event("left", "who", doc="Somebody has left."),
    )


class Alpha(Bare):
    """Answers, and writes a row."""

    name = "alpha"

    @hook("knock")
    def on_knock(self, who: str) -> str:
        CALLS.append(("alpha", who))
        get_user_model().objects.filter(email=who).update(name="alpha was here")
        return f"alpha heard {who}"

    @hook("polish")
    def on_polish(self, text: str) -> str:
        return f"{text}a"

    @hook("left")
    def on_left(self, who: str) -> None:
        raise AssertionError("an event's handler runs in the worker, never here")


class Broken(Bare):
    """Writes a row and then fails, in the way `how` says."""

    name, priority = "broken", 1  # first in every order
    how = "raise"

    @hook("knock")
    def on_knock(self, who: str) -> str:
        CALLS.append(("broken", who))
        get_user_model().objects.filter(email=who).update(name="broken was here")
        if self.how == "database":
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        if self.how == "swallow":
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1 / 0")
            except DatabaseError:
                return "all is well"
        if self.how == "slow":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(600)")
        if self.how == "veto":
            raise Veto("not today")
        raise RuntimeError("planned")

    @hook("ask")
    def on_ask(self, who: str) -> str:
        raise Veto(f"{who} may not")

    @hook("polish")
    def on_polish(self, text: str) -> str:
        raise RuntimeError("planned")


class Omega(Bare):
    """Needs alpha, so it runs behind it whatever the priorities say."""

    name, priority, dependencies = "omega", 0, ("alpha>=1",)

    @hook("knock")
    def on_knock(self, who: str) -> str:
        CALLS.append(("omega", who))
        return f"omega heard {who}"

    @hook("polish")
    def on_polish(self, text: str) -> str:
        return f"{text}z"


class Looping(Bare):
    """Calls the hook it handles."""

    name = "looping"

    @hook("knock")
    def on_knock(self, who: str) -> str:
        CALLS.append(("looping", who))
        call_hook("knock", who)
        return "never ends"

    @hook("polish")
    def on_polish(self, text: str) -> str:
        return str(apply_filters("polish", text))


class Living(ConfigurablePlugin):
    """Tells when it is made and when it is cleaned up."""

    name, version = "living", "1.0.0"

    def get_config_schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}

    def initialize(self, config: dict[str, Any]) -> None:
        if config["number"] < 0:
            raise RuntimeError("planned")
        LIVES.append(("made", config["number"]))

    def cleanup(self) -> None:
        LIVES.append(("cleaned" if tenant_or_none() is None else "cleaned inside a tenant", self.settings["number"]))


class Spy(Living):
    """Sees what is enabled for whom."""

    name = "spy"
