"""What is asked of the database at each scrape: a few statements over tables of the public schema that stay small."""

from __future__ import annotations

from typing import Any

from django.db import Error, connection

from plugin_framework.delivery import workers
from plugin_framework.metrics.names import (
    BREAKERS,
    DATABASE_UP,
    LAG,
    LANES_DUE,
    PAUSED,
    SIGN_UPS,
    SPARES,
    WAKES,
    WORKERS,
    Metric,
)
from plugin_framework.registry import registry
from saas.watch.probe import Probe, Silent
from tenants import spares, waiting

# A lane is due as a worker sees it that looks for one; see `lanes._CLAIM`.
_LANES = """
SELECT plugin, count(*) FILTER (WHERE due), coalesce(extract(epoch FROM now() - min(next_at) FILTER (WHERE due)), 0)::float8,
    count(*) FILTER (WHERE paused_until > now()), count(*) FILTER (WHERE paused_by <> '')
FROM (SELECT *, next_at <= now() AND (leased_until IS NULL OR leased_until < now())
        AND (paused_until IS NULL OR paused_until <= now()) AND paused_by = '' AS due FROM public.delivery_lane) AS lane
GROUP BY plugin
"""
_WAKES = "SELECT count(*) FROM public.delivery_wake"
_WORKERS = "SELECT count(*) FROM public.delivery_worker WHERE seen_at > now() - make_interval(secs => %s)"
_OF_LANES = (LANES_DUE, LAG, BREAKERS, PAUSED)

type Values = dict[Metric, dict[tuple[str, ...], float]]  # by labels


def gauges() -> Values:
    """All of them; only that the database is not up, where it does not answer."""
    try:
        return {DATABASE_UP: {(): 1.0}, **_probe.ask()}
    except (Error, Silent):
        return {DATABASE_UP: {(): 0.0}}


def _look() -> Values:
    installed: dict[tuple[str, ...], float] = {(name,): 0.0 for name in registry.specs}
    found: Values = {metric: dict(installed) for metric in _OF_LANES}
    for plugin, *values in _rows(_LANES):
        for metric, value in zip(_OF_LANES, values, strict=True):
            found[metric][plugin,] = float(value)
    found[WAKES] = {(): float(_rows(_WAKES)[0][0])}
    found[SPARES] = {(): float(spares.count().ready)}
    unfinished = waiting.count()
    found[SIGN_UPS] = {("no",): float(unfinished.waiting), ("yes",): float(unfinished.given_up)}
    found[WORKERS] = {(): float(_rows(_WORKERS, workers.FRESH)[0][0])}
    return found


def _rows(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


_probe = Probe(_look)
