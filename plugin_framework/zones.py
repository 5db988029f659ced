"""Time zones by name: which there are, and in which one dates are shown and read from now on."""

from __future__ import annotations

import functools
import logging
import zoneinfo
from collections.abc import Callable
from datetime import UTC, tzinfo

from django.utils import timezone

log = logging.getLogger(__name__)
DEFAULT = "UTC"  # that of `settings.TIME_ZONE`, of what is shared, and of tenants that have not chosen
# Links to others, and names that say no place: they are in the database for the sake of old programs.
_NO_PLACES = ("Etc/", "SystemV/", "US/", "Canada/", "Brazil/", "Chile/", "Mexico/")


@functools.cache
def names() -> tuple[str, ...]:
    """The zones to choose from: UTC, then those of places, by name."""
    places = (name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith(_NO_PLACES))
    return (DEFAULT, *sorted(places))


def is_known(name: str) -> bool:
    """Whether a tenant can have this zone."""
    return name in names()


@functools.lru_cache(maxsize=512)
def zone(name: str) -> tzinfo:
    """The zone called `name`; UTC for one that this machine does not know, which is logged: dates are shown, if in another zone."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        log.error("This machine knows no time zone %s; dates are in UTC instead. Update its time zone database.", name)
        return UTC


def switch(before: str, after: str) -> Callable[[], None]:
    """Have dates in `after`, where they were in `before`, until what this returns is called. It costs nothing if both are the same."""
    if before == after:
        return _nothing
    override = timezone.override(zone(after))
    override.__enter__()
    return functools.partial(override.__exit__, None, None, None)


def _nothing() -> None:
    pass
