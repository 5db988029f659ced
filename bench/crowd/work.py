"""What operators wait for: a migration with nothing to do, and a new organisation; on our side."""

from __future__ import annotations

import time

from bench.crowd.tenants import fill_pool
from plugin_framework.tenancy import public_scope
from saas.signup.service import sign_up
from tenants.fleet import migrate_everything

_made = 0


def migrate() -> float:
    """Microseconds of the whole command's work where all tenants are up to date."""
    began = time.perf_counter()
    outcomes = list(migrate_everything())
    took = time.perf_counter() - began
    if wrong := [outcome for outcome in outcomes if outcome.error or outcome.applied]:
        raise RuntimeError(f"There was something to migrate: {wrong[0]}")
    return took * 1e6


def new_organisations(count: int) -> list[float]:
    """Microseconds of each of so many sign-ups, from a pool that has enough spare schemas."""
    global _made
    fill_pool(count)
    taken = []
    for _ in range(count):
        _made += 1  # in a name that does not become a reserved one: "new-5" looks like "news"
        began = time.perf_counter()
        with public_scope():  # as the page has it
            sign_up(
                organisation=f"New {_made}",
                slug=f"settler-{_made}",
                name="Ada",
                email="ada@new.example",
                password="x" * 12,  # nobody's
            )
        taken.append((time.perf_counter() - began) * 1e6)
    return taken
