"""The part of `manage.py tenants` that ends an organisation's life, or brings it back."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from plugin_framework.audit import COMMAND_LINE
from tenants import deletion, purging

ACTIONS = ("delete", "undelete", "purge")


def add_arguments(parser: ArgumentParser) -> None:
    """What only these actions take."""
    parser.add_argument(
        "--yes-delete", metavar="SLUG", default="", help="purge: its address once more; there is no way back"
    )
    parser.add_argument(
        "--at-once", action="store_true", help="purge: although the time to bring it back is not over yet"
    )


def act(action: str, slug: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Do it, and say what was done.

    Raises:
        NoSuchTenant, NotPossible: as the functions do.
    """
    if action == "delete":
        purge_at = deletion.delete(slug, COMMAND_LINE, confirmation=slug)
        return {"slug": slug, "done": "deleted", "gone for good": purge_at.isoformat(timespec="seconds")}
    if action == "purge":
        purging.purge(slug, COMMAND_LINE, confirmation=options["yes_delete"], at_once=options["at_once"])
        return {"slug": slug, "done": "purged"}
    return {"slug": slug, "done": "brought back", "state": deletion.undelete(slug, COMMAND_LINE).value}
