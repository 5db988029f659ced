"""Lets an admin have deliveries tried again: ones that were given up, that are still waiting, or that arrived.

Whatever became of it before, a delivery that is sent again gets the whole retry schedule anew, as after the event itself. Payload,
idempotency key and the record of its attempts stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext

from plugin_framework import activation
from plugin_framework.audit import Actor, record, recount
from plugin_framework.delivery import breaker
from plugin_framework.delivery.emit import wake
from plugin_framework.delivery.search import STATES, Search
from plugin_framework.models.delivery import Delivery, DeliveryState, Standing
from plugin_framework.registry import title_of
from plugin_framework.sdk import NotAllowed
from plugin_framework.sdk._counts import Counted
from plugin_framework.tenancy import current_tenant

BATCH = 500  # deliveries changed in one transaction: workers and emitters wait no longer than that takes
MOST_ATTEMPTS = 30_000  # of one delivery; its counter ends soon after
# Of what a search finds. One that waits or is held is coming anyway.
MANY: tuple[str, ...] = (Standing.DEAD, Standing.CANCELLED, Standing.RETRYING, Standing.DONE)
_RUNNING = Q(state=DeliveryState.DUE, started_at__isnull=False, finished_at__isnull=True)


@dataclass(frozen=True, slots=True)
class Preview:
    """What delivering many again would do. `counts`: deliveries by plugin; `resting`: those plugins that do not run, and why."""

    counts: dict[str, int]
    resting: dict[str, str]

    @property
    def total(self) -> int:
        """How many would be delivered again."""
        return sum(count for plugin, count in self.counts.items() if plugin not in self.resting)

    @property
    def left(self) -> int:
        """How many would not be, because their plugin does not run."""
        return sum(self.counts.values()) - self.total


def redeliver(delivery_id: int, actor: Actor) -> None:
    """Make a delivery of the current tenant due now.

    Raises:
        Delivery.DoesNotExist: this tenant has no such delivery.
        NotAllowed: its plugin does not run now, or it is being delivered at this moment; nothing was changed.
    """
    with transaction.atomic():
        row = Delivery.objects.select_for_update().get(pk=delivery_id)
        decision = activation.current().decision(row.plugin)
        if not decision.runs:
            said = gettext("%(title)s does not run here, so nothing can be delivered to it: %(why)s")
            raise NotAllowed(said % {"title": title_of(row.plugin), "why": decision.text})
        if row.standing is Standing.RUNNING:
            raise NotAllowed(gettext("It is being delivered right now. Look again in a moment."))
        if row.attempts >= MOST_ATTEMPTS:
            said = gettext(
                "It was tried %(number)s times, and no more often than that. "
                "If it still has to happen, do it by hand where it was to arrive."
            )
            raise NotAllowed(said % {"number": Counted(row.attempts)})
        _make_due([row])
        record(actor, "delivery.redelivered", row.plugin, delivery=row.pk, hook=row.hook, was=row.state)


def preview(search: Search, ids: Collection[int] = ()) -> Preview:
    """What `redeliver_many` would do now.

    Raises:
        NotAllowed: as there.
    """
    rows = _chosen(search, ids)
    counts = dict(rows.order_by("plugin").values_list("plugin").annotate(Count("pk")))
    decisions = {plugin: activation.current().decision(plugin) for plugin in counts}
    return Preview(counts, {plugin: each.text for plugin, each in decisions.items() if not each.runs})


def redeliver_many(search: Search, actor: Actor, ids: Collection[int] = ()) -> Counter[str]:
    """Make due now, oldest first, all deliveries that `search` finds, or those of `ids` among them; how many of each plugin.

    In transactions of BATCH deliveries each. The one entry in the audit log grows with each of them, so it is right whatever
    interrupts this. Passed over: what is being delivered right now, and what belongs to plugins that do not run.

    Args:
        search: its `state` is one of MANY, unless there are `ids`.
        ids: the deliveries that somebody picked one by one; none: all.

    Raises:
        NotAllowed: the search is for a state in which delivering all again makes no sense; nothing was changed.
    """
    rows = _chosen(search, ids).exclude(plugin__in=preview(search, ids).resting)
    done: Counter[str] = Counter()
    last, entry = 0, None
    while True:
        with transaction.atomic():
            further = rows.filter(id__gt=last).order_by("id").only("id", "plugin")
            batch = list(further.select_for_update(skip_locked=True)[:BATCH])
            if not batch:
                return done
            _make_due(batch)
            done.update(row.plugin for row in batch)
            last = batch[-1].pk
            if entry is None:
                entry = record(
                    actor, "delivery.redelivered_many", search.plugin, count=done.total(), **_words(search, ids)
                )
            else:
                recount(entry, done.total())


def _chosen(search: Search, ids: Collection[int]) -> QuerySet[Delivery]:
    if not ids and search.state not in MANY:
        allowed = ", ".join(f"“{Standing(state).label}”" for state in MANY)
        said = gettext("Choose one state whose deliveries are to be delivered again: %(states)s.")
        raise NotAllowed(said % {"states": allowed})
    rows = search.rows().exclude(_RUNNING).filter(attempts__lt=MOST_ATTEMPTS)
    return rows.filter(id__in=ids).exclude(STATES[Standing.HELD]) if ids else rows


def _make_due(rows: Sequence[Delivery]) -> None:
    """Begin the schedule anew for locked rows, and wake their lanes with the commit."""
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=DeliveryState.DUE, next_at=Now(), held_since=None, attempts_before=F("attempts")
    )
    woken = {row.plugin: row.pk for row in rows}
    wake(current_tenant().schema, woken)
    for plugin in sorted(woken):
        breaker.try_now(plugin)  # somebody wants to see whether it works


def _words(search: Search, ids: Collection[int]) -> dict[str, str]:
    """What was asked for, as the audit log tells it."""
    given = {
        "state": _in_english(search.state) if search.state in STATES else "",
        "hook": search.hook,
        "since": search.since.isoformat() if search.since else "",
        "until": search.until.isoformat() if search.until else "",
        "picked": ", ".join(map(str, sorted(ids)[:100])),
    }
    return {name: value for name, value in given.items() if value}


def _in_english(state: str) -> str:
    """What is stored is read later, by people of other languages too."""
    with translation.override(None):
        return str(Standing(state).label)
