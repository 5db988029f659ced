"""Turns an unhandled error into the event `system_error`: redacted, once per fingerprint and minute, never in the way."""

from __future__ import annotations

import hashlib
import logging
import traceback

from django.db import connection, transaction
from django.utils import timezone

from plugin_framework import hooks, tenancy, tenancy_directory
from plugin_framework.sdk import ErrorReport

log = logging.getLogger(__name__)

_FIRST_THIS_MINUTE = """
INSERT INTO public.catalog_errorseen AS e (tenant_schema, fingerprint, seen_at) VALUES (%s, %s, now())
ON CONFLICT (tenant_schema, fingerprint) DO UPDATE SET seen_at = now() WHERE e.seen_at < now() - interval '1 minute'
RETURNING 1
"""


def report(error: BaseException, path: str) -> None:
    """Emit `system_error` to the current tenant, or to the platform's on the public host. Never raises.

    Args:
        path: the request's path, without its query.
    """
    try:
        tenant = tenancy.tenant_or_none()
        if tenant is None:
            entry = tenancy_directory.platform()
            tenant = entry.ref if entry else None
        if tenant is not None:
            with tenancy.tenant_scope(tenant):
                _emit(redacted(error, path), tenant.schema)
    except Exception:  # the error being reported is the one that matters; this one goes to the log
        log.exception("system_error could not be emitted")


def _emit(found: ErrorReport, schema: str) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_FIRST_THIS_MINUTE, [schema, found.fingerprint])
            first = cursor.fetchone() is not None
        if first:
            hooks.emit("system_error", found)


def redacted(error: BaseException, path: str) -> ErrorReport:
    """What may leave the process of `error`: its class and place. Its text may quote data, so it stays in the log."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    module = last.filename.rsplit("/", 1)[-1].removesuffix(".py") if last else "unknown"
    where = f"{module}:{last.name}:{last.lineno}" if last else module
    kind = type(error).__name__
    fingerprint = hashlib.sha256(f"{kind}|{where}".encode()).hexdigest()[:16]
    return ErrorReport(
        message=f"{kind} in {where} at {path[:200]}",
        kind=kind,
        where=where,
        path=path[:200],
        fingerprint=fingerprint,
        at=timezone.now().isoformat(),
    )
