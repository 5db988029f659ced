"""jsonschema is left its own registry, which fetches what a schema refers to: from other hosts, and from files of this one."""

from __future__ import annotations

from plugin_framework.config import schema
from tests.isolation.planted.surgery import rewrite


def plant() -> None:
    """Forget to give it an empty one."""
    rewrite(schema._validator, "registry=Registry(), ", "")
