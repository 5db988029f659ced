"""Counts and limits in one statement, so that threads and processes cannot get past a limit together."""

from __future__ import annotations

import hashlib
import secrets

from django.db import connection

_COUNT = """
INSERT INTO public.throttle_counter AS c (bucket, key, started_at, count) VALUES (%(bucket)s, %(key)s, clock_timestamp(), 1)
ON CONFLICT (bucket, key) DO UPDATE SET
    count = CASE WHEN c.started_at < clock_timestamp() - make_interval(secs => %(seconds)s) THEN 1 ELSE c.count + 1 END,
    started_at = CASE WHEN c.started_at < clock_timestamp() - make_interval(secs => %(seconds)s)
        THEN clock_timestamp() ELSE c.started_at END
RETURNING count
"""
_FORGET = "DELETE FROM public.throttle_counter WHERE started_at < clock_timestamp() - interval '1 day'"


def allow(bucket: str, key: str, *, limit: int, seconds: float) -> bool:
    """Count one more and say whether it is within the limit. Call outside of the transaction that it guards: a rollback un-counts.

    Args:
        bucket: what is limited, such as "signup.address".
        key: for whom; it is stored hashed.
        limit: how many are allowed in a window of `seconds`, which begins with the first; a day at most.
    """
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"bucket": bucket, "key": digest, "seconds": float(seconds)})
        count: int = cursor.fetchone()[0]
        if count == 1 and secrets.randbelow(100) == 0:  # now and then, whoever comes first tidies up
            cursor.execute(_FORGET)
    return count <= limit
