"""Bytes of a tenant: files, counted as they are written, and tables, measured by the clock.

Only files are refused: a row that a business transaction has to write is worth more than a limit.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection, transaction
from django.utils.translation import gettext

from plugin_framework.models.quota import EVER
from plugin_framework.quotas import facts
from plugin_framework.quotas.facts import TABLES
from plugin_framework.quotas.kinds import Kind, QuotaExceeded, Usage
from plugin_framework.quotas.notices import tell, told_of_refusals
from plugin_framework.sdk import _counts
from plugin_framework.tenancy import current_tenant

MEASURE, AT = "measure_storage", "40 */6 * * *"  # the platform's work, and when each tenant is owed it
_ADD = f"""
INSERT INTO plugin_framework_quotause AS use (kind, period, used) VALUES ('files', {EVER}, greatest(%(bytes)s, 0))
ON CONFLICT (kind, period) DO UPDATE SET used = greatest(use.used + %(bytes)s, 0)
"""  # noqa: S608  # made of constants
_SET = f"""
INSERT INTO plugin_framework_quotause AS use (kind, period, used) VALUES (%(kind)s, {EVER}, %(bytes)s)
ON CONFLICT (kind, period) DO UPDATE SET used = excluded.used
"""  # noqa: S608  # the same
_files: Callable[[], int] | None = None


def bind_files(measure: Callable[[], int]) -> None:
    """Let `measure` say how many bytes of files the current tenant really has; the clock's look puts the count right with it."""
    global _files
    _files = measure


def check(size: int = 1) -> None:
    """Say now, before much work is done, whether `size` bytes more could be kept; `reserve_storage` decides.

    Raises:
        QuotaExceeded: they could not.
    """
    usage = facts.usage(Kind.STORAGE)
    _refuse_beyond(usage, size)


def reserve_storage(size: int) -> None:
    """Count `size` bytes of a file of the current tenant that is about to be written; undone with the current transaction.

    Files of one tenant that are written at the same time wait for each other here, until the end of their transactions.

    Raises:
        QuotaExceeded: the plan has no room for it; nothing is counted. ValueError: a size below zero.
        NoTenant: outside of a tenant.
    """
    if size < 0:
        raise ValueError(f"A file cannot have {size} bytes; use release_storage for what is removed.")
    with told_of_refusals(), transaction.atomic():
        facts.lock(Kind.STORAGE)
        usage = facts.usage(Kind.STORAGE)
        _refuse_beyond(usage, size)
        _write(_ADD, bytes=size)
        tell(Usage(usage.kind, usage.used + size, usage.limit, usage.plan))


def release_storage(size: int) -> None:
    """Count `size` bytes less: a file of the current tenant was removed, or was not written after all."""
    if size < 0:
        raise ValueError(f"A file cannot have {size} bytes; use reserve_storage for what is added.")
    with transaction.atomic():
        facts.lock(Kind.STORAGE)
        _write(_ADD, bytes=-size)


def measure() -> None:
    """Look how large the current tenant's tables are, and its files where somebody can say that; by the clock."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TABLES, [current_tenant().schema])
        tables = int(cursor.fetchone()[0])
        facts.lock(Kind.STORAGE)
        _write(_SET, kind="tables", bytes=tables)
        if _files is not None:
            _write(_SET, kind="files", bytes=_files())
        tell(facts.usage(Kind.STORAGE))


def _refuse_beyond(usage: Usage, size: int) -> None:
    if usage.left is None or size <= usage.left:
        return
    raise QuotaExceeded(
        gettext(
            "There is no room for %(size)s more: your organisation’s plan, %(plan)s, includes %(limit)s, and %(used)s are used. "
            "Remove files, or ask the platform for a larger plan."
        )
        % {
            "size": _counts.size(size),
            "plan": usage.plan,
            "limit": _counts.size(usage.limit or 0),
            "used": _counts.size(usage.used),
        },
        usage,
    )


def _write(sql: str, **params: str | int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
