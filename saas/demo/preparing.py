"""Brings the demo's database up to date and makes what it shows, around whatever organisation is damaged."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection

from saas import damage
from saas.demo.processes import DemoError
from saas.demo.seed import Ports, seed
from tenants import spares, wholeness
from tenants.fleet import PUBLIC, Options, migrate_everything
from tenants.provisioning import PLATFORM_SLUG

type Say = Callable[[str], object]


def prepare(ports: Ports, say: Say) -> None:
    """Migrate everything, make the organisations and people that are missing, and fill the pool of spare schemas.

    Raises:
        DemoError: what the platform cannot run without could not be migrated.
    """
    say("Preparing the database …")
    failed: dict[str, str] = {}
    for outcome in migrate_everything(Options(finish=True)):
        if outcome.error and outcome.who in (PUBLIC, PLATFORM_SLUG):
            raise DemoError(f"{outcome.who} could not be migrated: {outcome.error}")
        if outcome.error:
            failed[outcome.who] = outcome.error
        elif outcome.applied:
            say(f"  {outcome.who}: {len(outcome.applied)} migrations")
    for ref in wholeness.lost():
        failed.pop(ref.slug, None)
        say(f"  {damage.sentence(ref)}")
    for who, error in failed.items():
        say(f"  {who} could not be migrated, and is not served: {error}")
    say("Making the organisations acme and globex …")
    seed(ports)
    while spares.tend():  # so that the first who signs up need not wait for the worker's first round
        pass
    connection.close()
