"""A plugin whose settings use every part of the supported JSON Schema subset, and that tells what it was given."""

from __future__ import annotations

from typing import Any

from plugin_framework.sdk import (
    CheckResult,
    ConfigurablePlugin,
    SampleFor,
    delivery_is_sample,
    event,
    hook,
)

told: list[tuple[Any, bool]] = []  # what its handler was called with, and whether as a sample; newest last


def _sample(to: SampleFor) -> tuple[object, ...]:
    return ({"for": to.user.email, "in": to.tenant.slug},)


def _broken(to: SampleFor) -> tuple[object, ...]:
    raise RuntimeError("no sample today")


TEXT: dict[str, Any] = {"type": "string"}
LEVELS = {"type": "integer", "enum": [1, 2, 3], "x-enum-labels": {"1": "Low", "2": "Middle", "3": "High"}}
LABEL = {"minLength": 3, "maxLength": 30, "pattern": "^[A-Z]", "x-placeholder": "Starts with a capital"}
BETWEEN = {"exclusiveMinimum": 0, "exclusiveMaximum": 1, "multipleOf": 0.25}
DAYS = {"enum": ["mo", "tu", "we"], "x-enum-labels": {"mo": "Monday"}}
COLOURS = ["red", "orange", "yellow", "green", "blue", "violet"]
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://kitchen-sink.example/settings",
    "$defs": {"contact": {**TEXT, "format": "email", "title": "Contact"}},
    "type": "object",
    "required": ["label", "level", "tags"],
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 40,
    "properties": {
        "label": {**TEXT, "title": "Label", "x-order": 1, **LABEL},
        "notes": {**TEXT, "title": "Notes", "x-multiline": True, "default": "One\nTwo", "description": "Several\nlines.", "x-order": 2},
        "contact": {"$ref": "#/$defs/contact", "x-group": "Formats"},
        "site": {**TEXT, "title": "Site", "format": "uri", "x-group": "Formats", "examples": ["https://example.com"]},
        "day": {**TEXT, "title": "Day", "format": "date", "x-group": "Formats"},
        "hour": {**TEXT, "title": "Hour", "format": "time", "x-group": "Formats"},
        "moment": {**TEXT, "title": "Moment", "format": "date-time", "x-group": "Formats"},
        "host": {**TEXT, "title": "Host", "format": "hostname", "x-group": "Formats"},
        "four": {**TEXT, "title": "IPv4", "format": "ipv4", "x-group": "Formats"},
        "six": {**TEXT, "title": "IPv6", "format": "ipv6", "x-group": "Formats"},
        "key": {**TEXT, "title": "Key", "format": "uuid", "x-group": "Formats"},
        "count": {"type": "integer", "title": "Count", "minimum": 1, "maximum": 9, "default": 5, "x-group": "Numbers"},
        "ratio": {"type": "number", "title": "Ratio", "x-group": "Numbers", **BETWEEN},
        "level": {**LEVELS, "title": "Level", "default": 2, "x-group": "Choices"},
        "colour": {**TEXT, "title": "Colour", "enum": COLOURS, "x-group": "Choices"},
        "edition": {**TEXT, "title": "Edition", "const": "2026", "x-group": "Choices"},
        "days": {"type": "array", "title": "Days", "items": DAYS, "default": ["mo"], "x-group": "Choices"},
        "on": {"type": "boolean", "title": "Switched on", "default": False, "x-group": "Choices"},
        "speed": {**TEXT, "title": "Speed", "x-show-if": {"on": True, "level": [2, 3]}, "x-group": "Choices"},
        "tags": {"type": "array", "title": "Tags", "items": {**TEXT, "maxLength": 9}, "minItems": 1, "maxItems": 4, "uniqueItems": True},
        "rules": {
            "type": "array",
            "title": "Rules",
            "maxItems": 5,
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {**TEXT, "title": "Name"},
                    "weight": {"type": "integer", "title": "Weight", "minimum": 0},
                    "strict": {"type": "boolean", "title": "Strict"},
                    "kind": {"enum": ["a", "b"], "title": "Kind"},
                },
            },
        },
        "server": {
            "type": "object",
            "title": "Server",
            "required": ["address"],
            "properties": {
                "address": {**TEXT, "title": "Address"},
                "port": {"type": "integer", "title": "Port", "default": 443},
                "token": {**TEXT, "title": "Token", "writeOnly": True, "x-bound-to": ["server.address"]},
                "limits": {"type": "object", "title": "Limits", "properties": {"size": {"type": "integer", "title": "Size"}}},
            },
        },
        "password": {**TEXT, "title": "Password", "format": "password"},
        "made": {**TEXT, "title": "Made by", "readOnly": True, "default": "the test", "$comment": "never typed"},
        "old": {**TEXT, "title": "Old", "deprecated": True},
    },
}  # fmt: skip


class KitchenSink(ConfigurablePlugin):
    """Takes all there is, and fails where it is told to."""

    name, version, title = "kitchen_sink", "1.0.0", "Kitchen sink"
    description = "Has one of each"
    declares = (
        event("tap_opened", "what", doc="Somebody opened the tap.", sample=_sample),
        event("tap_dripped", "what", doc="The tap drips.", sample=_broken),
        event("tap_stolen", "what", doc="The tap is gone."),
    )

    def get_config_schema(self) -> dict[str, Any]:
        return SCHEMA

    def validate_config(self, config: dict[str, Any]) -> list[str]:
        wrong = config.get("on") and config["level"] != 1 and not config.get("speed")
        return ["Say how fast, now that it is switched on."] if wrong else []

    def initialize(self, config: dict[str, Any]) -> None:
        self.config = config

    def cleanup(self) -> None:
        pass

    def check(self, config: dict[str, Any]) -> CheckResult:
        return CheckResult("server" in config, f"Asked {config.get('server', {}).get('address', 'nobody')}.")

    @hook("tap_opened")
    def on_opened(self, what: dict[str, Any]) -> None:
        told.append((what, delivery_is_sample()))
        if self.config["label"] == "Broken":
            raise RuntimeError("the pipe is broken")

    @hook("tap_dripped")
    def on_dripped(self, what: str) -> None:
        pass

    @hook("tap_stolen")
    def on_stolen(self, what: str) -> None:
        pass
