"""A process that signs people up, so to speak: `python -m tests.faults.client HISTORY FIRST LAST MODE`; every fifth is rolled back.

Each is a business row and an event in one transaction, in the next tenant in turn; what it did is written down before and after. Rows
that the history already tells of are left out, so a client that was killed is followed by another with the same numbers. MODE is
`durable`, or `on_commit` for the control: the post is made after the commit, and nothing is written down for it.
"""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Any

import django

django.setup()

from django.db import connection, transaction  # noqa: E402  # the apps are loaded now

from plugin_framework import hooks, tenancy_directory  # noqa: E402
from plugin_framework.audit import SYSTEM, record  # noqa: E402
from plugin_framework.delivery.failpoints import failpoint  # noqa: E402
from plugin_framework.tenancy import tenant_scope  # noqa: E402
from tests.faults.plugin import post  # noqa: E402

EVERY = 5  # of these, one is rolled back


class RolledBack(Exception):
    """The client changes its mind."""


def main(history: Path, first: int, last: int, mode: str) -> None:
    """Do what is not done yet."""
    told = {json.loads(line)["row"] for line in history.read_bytes().splitlines()} if history.exists() else set()
    tenants = [entry.ref for entry in tenancy_directory.everyone() if entry.ref.schema != "platform"]
    with history.open("ab", buffering=0) as file:
        for number in range(first, last):
            if str(number) in told:
                continue
            tenant = tenants[number % len(tenants)]
            line = {"tenant": tenant.slug, "row": str(number)}
            file.write(json.dumps({**line, "saw": "invoked"}).encode() + b"\n")
            saw = "ok"
            try:
                with tenant_scope(tenant), transaction.atomic():
                    _sign_up(number, mode)
            except RolledBack:
                saw = "rolled back"
            file.write(json.dumps({**line, "saw": saw}).encode() + b"\n")


def _sign_up(number: int, mode: str) -> None:
    what: dict[str, Any] = {"row": str(number), "flaky": number % 11 == 0}
    record(SYSTEM, "storm.row", str(number))
    if mode == "durable":
        hooks.emit("storm_work", what)
    else:
        key = str(uuid.uuid4())
        failpoint("before_commit")
        transaction.on_commit(lambda: (failpoint("after_commit"), post(what, key, 2)))
    if number % EVERY == EVERY - 1:
        raise RolledBack


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    connection.close()
