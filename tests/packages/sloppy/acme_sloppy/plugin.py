"""Loads, and should not be let loose."""

import socket
from typing import Any

from django.db import connection
from django.urls import path
from django.utils.crypto import salted_hmac

from plugin_framework import lifecycle
from plugin_framework.sdk import ConfigurablePlugin, event, hook


def page(request: Any) -> None:
    """Never answers."""
    raise RuntimeError(lifecycle.__name__, socket.__name__)


class Sloppy(ConfigurablePlugin):  # without a docstring, a title, and so on
    name, version = "sloppy", "1.0.0"
    declares = (event("slopped", doc="no sentence"),)
    urls = [path("", page, name="page")]
    schema = {
        "type": "object",
        "properties": {"size": {"type": "integer", "default": 1}, "colour": {"type": "string"}},
        "minProperties": 2,
    }

    def get_config_schema(self) -> dict[str, Any]:
        return self.schema

    def initialize(self, config: dict[str, Any]) -> None:
        self.held = [config]

    def cleanup(self) -> None:
        self.held.pop()

    def on_enable(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS left_behind (id int)")

    @hook("user_registered")
    def tell(self, user: Any) -> None:
        print(self.http, salted_hmac("sloppy", user.email, algorithm="sha256").hexdigest())
