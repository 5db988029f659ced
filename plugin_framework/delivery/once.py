"""Lets a handler commit what it does in the database together with its delivery's mark: exactly once, whatever is killed when."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from plugin_framework.delivery import rows
from plugin_framework.delivery.context import CurrentDelivery, current_delivery
from plugin_framework.delivery.outcome import delivered
from plugin_framework.delivery.rows import Finished
from plugin_framework.sdk import PluginError
from plugin_framework.tenancy import current_tenant


class Superseded(PluginError):
    """Another worker has this delivery by now, or it was marked already; what was done here is undone. Nothing has to be done."""


@contextmanager
def exactly_once() -> Iterator[None]:
    """A transaction that ends with the mark of the running delivery; outside of the worker, a transaction.

    Raises:
        Superseded: the mark is not ours to make any more; the block's work is undone.
    """
    current, begun = current_delivery(), time.perf_counter()
    with transaction.atomic():
        yield
        if current is not None:
            _mark(current, begun)


def _mark(current: CurrentDelivery, begun: float) -> None:
    done = delivered(round((time.perf_counter() - begun) * 1000), current.response_status, current.exchange)
    if not rows.finish(current_tenant().schema, Finished(current.id, done), current.fence):
        raise Superseded
    transaction.on_commit(current.was_marked)  # not before: a transaction around this one may be rolled back yet
