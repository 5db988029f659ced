"""The deliveries' SQL: letting them wait while their plugin does not run, and giving them up. Rules and the rest are in `rows`."""

from __future__ import annotations

import random

from plugin_framework.delivery.retry import HOLD_LIMIT, JITTER, LEAST_HOLD, MOST_HOLD
from plugin_framework.delivery.rows import NOW_SECONDS, change, found_by
from plugin_framework.registry import JOB_HOOK
from plugin_framework.sdk._words import Phrase

_GAVE_UP = Phrase("Given up, because for %(hours)s hours: %(why)s")
# Until the day after the one whose deliveries are used up; if that has begun meanwhile, they are due. How long a delivery may be held for
# other reasons counts anew: a plan must not make it be given up.
_PUT_OFF = """
UPDATE {deliveries} SET fence = %(fence)s, held_since = statement_timestamp(), last_error = %(reason)s,
    next_at = (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
WHERE plugin = %(plugin)s AND state = 'due' AND fence <= %(fence)s AND next_at <= statement_timestamp()
    AND attempts = attempts_before AND hook <> %(job)s
"""
# All due ones of the plugin, or only %(id)s. Held ones come back after as long as they have been held, within bounds, and are given up
# after %(limit)s seconds. Of NULL and now the least is now; of NULL and a bound the greatest is the bound.
_HOLD = f"""
WITH given_up AS (
    UPDATE {{deliveries}} SET fence = %(fence)s, state = 'dead', finished_at = statement_timestamp(), last_error = %(gave_up)s
    WHERE {{held}} AND held_since < statement_timestamp() - make_interval(secs => %(limit)s) RETURNING id),
held AS (
    UPDATE {{deliveries}} SET fence = %(fence)s, held_since = least(held_since, statement_timestamp()), last_error = %(reason)s,
        next_at = to_timestamp(({NOW_SECONDS} + %(jitter)s
            * least(greatest(extract(epoch FROM statement_timestamp() - held_since), %(least)s), %(most)s))::float8)
    WHERE {{held}} AND (held_since IS NULL OR held_since >= statement_timestamp() - make_interval(secs => %(limit)s)) RETURNING id)
SELECT (SELECT count(*) FROM given_up) + (SELECT count(*) FROM held)
""".replace(  # noqa: S608  # made of the constants above
    "{held}",
    """plugin = %(plugin)s AND state = 'due' AND fence <= %(fence)s AND next_at <= statement_timestamp()
        AND (%(id)s::bigint IS NULL OR id = %(id)s)""",
)
# `held_since` stays until a handler is called: how long a delivery may be held in all counts from the first time.
_RELEASE_HELD = """
UPDATE {deliveries} SET next_at = created_at
WHERE plugin = %(plugin)s AND state = 'due' AND held_since IS NOT NULL AND fence <= %(fence)s
"""
_CANCEL = """
UPDATE {deliveries} SET fence = %(fence)s, state = 'cancelled', finished_at = statement_timestamp(), last_error = %(reason)s
WHERE plugin = %(plugin)s AND state = 'due' AND fence <= %(fence)s
"""
_SKIP = """
UPDATE {deliveries} SET fence = %(fence)s, state = 'cancelled', finished_at = statement_timestamp(), last_error = %(reason)s
WHERE plugin = %(plugin)s AND hook = %(hook)s AND state = 'due' AND fence <= %(fence)s AND next_at <= statement_timestamp()
"""


def hold(schema: str, plugin: str, fence: int, reason: str, delivery: int | None = None) -> int:
    """Put off due deliveries without using up an attempt: the plugin does not run now; how many."""
    jitter = 1 + random.uniform(-JITTER, JITTER)  # noqa: S311  # spreads load, guards nothing
    bounds = {"limit": HOLD_LIMIT, "least": LEAST_HOLD, "most": MOST_HOLD, "jitter": jitter}
    texts = {"reason": reason[:500], "gave_up": _GAVE_UP(hours=f"{HOLD_LIMIT / 3600:g}", why=reason).english[:500]}
    return int(found_by(schema, _HOLD, {"plugin": plugin, "fence": fence, "id": delivery, **texts, **bounds})[0][0])


def put_off(schema: str, plugin: str, fence: int, day: str, reason: str) -> int:
    """Let the due deliveries that would be among those of `day` wait until it is over; how many."""
    params = {"plugin": plugin, "fence": fence, "day": day, "reason": reason[:500], "job": JOB_HOOK}
    return change(schema, _PUT_OFF, params)


def release_held(schema: str, plugin: str, fence: int) -> int:
    """Make what was held of a plugin due now, in the order in which the events happened: it runs again; how many."""
    return change(schema, _RELEASE_HELD, {"plugin": plugin, "fence": fence})


def cancel(schema: str, plugin: str, fence: int, reason: str) -> int:
    """Cancel the waiting deliveries of a plugin that was disabled; how many."""
    return change(schema, _CANCEL, {"plugin": plugin, "fence": fence, "reason": reason[:500]})


def skip(schema: str, plugin: str, fence: int, hook: str, reason: str) -> int:
    """Cancel due deliveries of one hook: a job whose time passes while its plugin does not run; how many."""
    return change(schema, _SKIP, {"plugin": plugin, "fence": fence, "hook": hook, "reason": reason[:500]})
