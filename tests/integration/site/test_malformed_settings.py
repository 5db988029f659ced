"""Settings that do not fit, by the page and by the engine: each ends in an error that names a field, and saves nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from django.test import Client

from plugin_framework import configuration, settings_store
from plugin_framework.audit import SYSTEM
from plugin_framework.sdk import ConfigurablePlugin
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.dummies.pages import installed
from tests.support import random_settings

MALFORMED = int(os.environ.get("MALFORMED", "150"))
NASTY = [
    "",
    "\x00",
    "x" * 70_000,
    "9" * 5000,
    "1e999",
    "NaN",
    "[",
    "{}",
    "[[[[",
    "null",
    "٣",
    "';--",
    "<script>",
]
WRONG = {
    "host": ["", "not a host!", "a" * 300, "\x00"],
    "port": ["", "many", "0", "70000", "1.5", "9" * 400],
    "mode": ["", "quick", "TLS"],
    "until": ["tomorrow", "2026-02-30"],
    "login.user": ["x" * 41, "no spaces please", "\n"],
    "routes.0.to": ["nobody", "@", "a@b@c"],
    "routes.0.weight": ["1.25.0", "heavy", "-1"],
}
GOOD = {
    "host": "a.example",
    "port": "25",
    "mode": "tls",
    "rows:routes": "",
    "routes.0.to": "a@b.example",
    "routes.0.weight": "1",
}


class Router(ConfigurablePlugin):
    """Has something of every kind."""

    name, version = "router", "1.0.0"

    def get_config_schema(self) -> dict[str, Any]:
        user = {"type": "string", "pattern": "^[a-z]+$", "maxLength": 40}
        secret = {"type": "string", "writeOnly": True, "minLength": 4, "x-bound-to": ["host"]}
        route = {"to": {"type": "string", "format": "email"}, "weight": {"type": "number", "minimum": 0}}
        return {
            "type": "object",
            "properties": {
                "host": {"type": "string", "format": "hostname", "minLength": 1},
                "port": {"type": "integer", "minimum": 1, "maximum": 65535},
                "mode": {"type": "string", "enum": ["plain", "tls"]},
                "until": {"type": "string", "format": "date"},
                "login": {"type": "object", "properties": {"user": user, "secret": secret}},
                "routes": {
                    "type": "array",
                    "maxItems": 3,
                    "items": {"type": "object", "properties": route, "required": ["to"]},
                },
            },
            "required": ["host", "port", "mode"],
            "additionalProperties": False,
        }

    def initialize(self, config: dict[str, Any]) -> None:
        """Takes nothing."""

    def cleanup(self) -> None:
        """Gives nothing back."""


@pytest.fixture(autouse=True)
def router() -> Iterator[None]:
    with installed(Router):
        yield


def _stored(tenants: Tenants) -> dict[str, Any]:
    with tenant_scope(tenants.acme):
        return settings_store.stored("router")


def _form(chance: Random) -> dict[str, str]:
    """A filled-in form of which one field at least is wrong."""
    wrong = chance.choice(sorted(WRONG))
    sent = {**GOOD, wrong: chance.choice(WRONG[wrong])}
    for _ in range(chance.randrange(4)):
        name = chance.choice(
            [*WRONG, "login.secret", "remove:login.secret", "routes", "routes.1.to", "add", "host.0", "x"]
        )
        sent.setdefault(name, chance.choice(NASTY))
    return sent | {"revision": "0"}


def test_no_malformed_form_is_saved_and_each_gets_its_error(
    admin: Client, tenants: Tenants, counted: Callable[[str, int], None]
) -> None:
    for number in range(MALFORMED):
        sent = _form(Random(number))
        answer = admin.post("/settings/plugins/router/configure/", sent)
        assert answer.status_code == 422, f"number {number}: {sent}"
        assert answer.context["form"].summary, f"number {number}: {sent}"
    assert _stored(tenants) == {}
    counted("malformed forms refused with an error", MALFORMED)


def test_no_malformed_configuration_is_saved_and_each_gets_its_error(
    tenants: Tenants, counted: Callable[[str, int], None]
) -> None:
    document = Router().get_config_schema()
    refused = 0
    with tenant_scope(tenants.acme):
        for number in range(MALFORMED):
            config = random_settings.configuration(Random(number), document)
            config = config if isinstance(config, dict) else {"host": config}
            with pytest.raises(configuration.Invalid) as error:
                configuration.configure("router", SYSTEM, {**config, "port": "none"}, expected_revision=0)
            assert error.value.errors
            refused += 1
    assert _stored(tenants) == {}
    counted("malformed configurations refused with an error", refused)
