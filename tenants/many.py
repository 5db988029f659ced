"""Makes many organisations quickly, for load tests and demonstrations: several at a time, each replayed and none from the pool."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event

from django.db import connection

from plugin_framework.audit import Actor
from plugin_framework.db import wear
from plugin_framework.tenancy import TenantRef, public_scope
from tenants.models import Tenant
from tenants.names import problem_with
from tenants.provisioning import SlugRefused, create_tenant

type Made = SimpleQueue[TenantRef | Exception]


def make_many(count: int, prefix: str, actor: Actor, *, jobs: int = 2) -> Iterator[TenantRef]:
    """Make `count` organisations called `prefix`-1, `prefix`-2 and so on, past those that are there; yields each as it is made.

    Each is a transaction of its own: interrupted, those that were made stay, and run again it makes further ones.

    Args:
        jobs: how many at the same time, each on a connection of its own.

    Raises:
        SlugRefused: no address can begin with `prefix`. ValueError: `count` or `jobs` is less than 1.
    """
    if count < 1 or jobs < 1:
        raise ValueError("How many are made, and how many at the same time, must be at least 1.")
    if problem := problem_with(f"{prefix}-{count}"):
        raise SlugRefused(problem)
    slugs, made, stop = list(itertools.islice(_free(prefix), count)), SimpleQueue[TenantRef | Exception](), Event()
    with ThreadPoolExecutor(jobs, thread_name_prefix="make") as pool:
        try:
            for number in range(jobs):
                pool.submit(_share, slugs[number::jobs], actor, made, stop)
            for _ in slugs:
                found = made.get()
                if isinstance(found, Exception):
                    raise found
                yield found
        finally:
            stop.set()


def _free(prefix: str) -> Iterator[str]:
    with public_scope():
        taken = set(Tenant.objects.filter(slug__startswith=f"{prefix}-").values_list("slug", flat=True))
    return (slug for number in itertools.count(1) if (slug := f"{prefix}-{number}") not in taken)


def _share(slugs: Sequence[str], actor: Actor, made: Made, stop: Event) -> None:
    """One thread's part, on a connection of its own."""
    try:
        for slug in slugs:
            if stop.is_set():
                return
            made.put(create_tenant(slug, slug.replace("-", " ").title(), actor, from_pool=False))
            wear.recycle()
    except Exception as error:  # noqa: BLE001  # raised again where somebody waits for it
        made.put(error)
    finally:
        connection.close()
