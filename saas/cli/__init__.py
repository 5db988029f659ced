"""What the commands share: finding the tenant they are told about, one kind of error, JSON or a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from plugin_framework.tenancy import TenantRef
from saas import damage
from tenants import directory, wholeness
from tenants.wholeness import Condition


def tenant_called(slug: str) -> TenantRef:
    """The tenant `slug`.

    Raises:
        CommandError: there is none, it has no schema yet, or that is damaged.
    """
    entry = directory.by_slug(slug)
    if entry is None:
        raise CommandError(f"There is no organisation {slug!r}. `manage.py tenants list` shows all.")
    if directory.is_being_set_up(slug):
        raise CommandError(f"{slug} is still being set up. `manage.py tenants list` shows when it is there.")
    if wholeness.condition(entry.ref) is Condition.LOST:
        raise CommandError(damage.sentence(entry.ref))
    return entry.ref


def show(command: BaseCommand, rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print `rows` as JSON, or as columns under their keys; `empty` is said when there are none."""
    if as_json:
        command.stdout.write(json.dumps(rows, indent=2, default=str))
    elif not rows:
        command.stdout.write(empty)
    else:
        for line in _columns([list(rows[0]), *([str(value) for value in row.values()] for row in rows)]):
            command.stdout.write(line)


def _columns(table: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[index]) for row in table) for index in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
