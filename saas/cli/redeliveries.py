"""`plugins redeliver`: has what a search finds delivered again, or says what that would come to."""

from __future__ import annotations

from datetime import datetime

from django.core.management.base import BaseCommand, CommandError

from plugin_framework.audit import COMMAND_LINE
from plugin_framework.delivery.redeliver import preview, redeliver_many
from plugin_framework.delivery.search import Search, moment
from saas.cli import show


def redeliver(
    command: BaseCommand, plugin: str, *, state: str, since: str | None, until: str | None, dry_run: bool, as_json: bool
) -> None:
    """Deliver again, in the current tenant, what is in `state` and happened from `since` until `until`.

    Raises:
        CommandError: a time cannot be read, or the range is empty.
        NotAllowed: this state is not one whose deliveries are made again.
    """
    search = Search(plugin=plugin, state=state, since=_time("--since", since), until=_time("--until", until))
    if search.since and search.until and search.since >= search.until:
        raise CommandError("--until must be later than --since; nothing lies between the two.")
    would = preview(search)
    made = would.counts if dry_run else redeliver_many(search, COMMAND_LINE)
    said = "would be delivered again" if dry_run else "made again"
    rows = [{"plugin": name, "deliveries": count, "outcome": said, "why": ""} for name, count in sorted(made.items())]
    rows = [row for row in rows if row["plugin"] not in would.resting]
    rows += [
        {"plugin": name, "deliveries": would.counts[name], "outcome": "passed over", "why": why}
        for name, why in sorted(would.resting.items())
    ]
    show(command, rows, as_json=as_json, empty="There is nothing to deliver again.")


def _time(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return moment(text)
    except ValueError as error:
        raise CommandError(f"{option}: {error}") from error
