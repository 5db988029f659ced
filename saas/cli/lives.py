"""The part of `manage.py tenants` that ends an organisation's life, or brings it back."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from plugin_framework.audit import COMMAND_LINE
from tenants import archive, deletion, purging

ACTIONS = ("delete", "undelete", "purge", "export", "restore")


def add_arguments(parser: ArgumentParser) -> None:
    """What only these actions take."""
    parser.add_argument(
        "--yes-delete", metavar="SLUG", default="", help="purge: its address once more; there is no way back"
    )
    parser.add_argument("--to", metavar="FILE", help="export: where to; SLUG-DATE.zip here, unless said")
    parser.add_argument("--slug", dest="new_slug", default="", help="restore: another address than it had")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="PLUGIN",
        help="restore: leave this plugin's tables in the archive",
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
    if action == "export":
        return _export(slug, options["to"])
    if action == "restore":
        return _restore(slug, options)
    if action == "purge":
        purging.purge(slug, COMMAND_LINE, confirmation=options["yes_delete"], at_once=options["at_once"])
        return {"slug": slug, "done": "purged"}
    return {"slug": slug, "done": "brought back", "state": deletion.undelete(slug, COMMAND_LINE).value}


def _export(slug: str, to: str | None) -> dict[str, Any]:
    path = Path(to or f"{slug}-{datetime.now(UTC):%Y-%m-%d}.zip")
    try:
        found = archive.export(slug, path, COMMAND_LINE)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}") from error
    return {"slug": slug, "done": "exported", "file": str(path), "rows": found.rows, "files": found.files}


def _restore(file: str, options: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = archive.restore(
            Path(file), COMMAND_LINE, slug=options["new_slug"], without=frozenset(options["without"])
        )
    except (archive.BadArchive, archive.CannotRestore) as error:
        raise CommandError(f"{file} is not restored. {error}") from error
    return {
        "slug": found.ref.slug,
        "done": "restored",
        "host": found.ref.host,
        "schema": found.ref.schema,
        "state": found.state,
        "as of": found.made_at,
        "rows": found.rows,
        "files": found.files,
        "unreadable secrets": "; ".join(found.unreadable),
        "lost hosts": ", ".join(found.hosts_lost),
    }
