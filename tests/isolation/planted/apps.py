"""Plants what PLANTED names, once the whole program is loaded."""

from __future__ import annotations

import importlib
import os
import sys

from django.apps import AppConfig


class PlantedConfig(AppConfig):
    """The last app to be ready."""

    name, label = "tests.isolation.planted", "planted"

    def ready(self) -> None:
        """Plant."""
        fault = os.environ["PLANTED"]
        importlib.import_module(f"tests.isolation.planted.{fault}").plant()
        sys.stderr.write(f"Planted: {fault}\n")
