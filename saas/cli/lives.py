"""The part of `manage.py tenants` that ends an organisation's life, or brings it back."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from plugin_framework.audit import COMMAND_LINE
from tenants import deletion

ACTIONS = ("delete", "undelete")


def add_arguments(parser: ArgumentParser) -> None:
    """What only these actions take."""


def act(action: str, slug: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Do it, and say what was done.

    Raises:
        NoSuchTenant, NotPossible: as the functions do.
    """
    if action == "delete":
        purge_at = deletion.delete(slug, COMMAND_LINE, confirmation=slug)
        return {"slug": slug, "done": "deleted", "gone for good": purge_at.isoformat(timespec="seconds")}
    return {"slug": slug, "done": "brought back", "state": deletion.undelete(slug, COMMAND_LINE).value}
