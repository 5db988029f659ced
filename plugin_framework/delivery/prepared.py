"""Sends a worker's own statements at the least cost: past Django's and psycopg's cursors, and the same one again without planning it.

A worker sends a few such statements per delivery, and the cursors alone (Django's sends text that is planned anew each time) would
cost more than all else it does. Only for between two handlers: what guards a handler's work is not told of it, and no search_path is
set, so tables are named with their schema.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import errors, pq

KEPT = 100  # statements in a connection; psycopg's own limit
_PARAMETER = re.compile(r"%\((\w+)\)s")
_BOOL, _TIMESTAMPTZ, _UUID = 16, 1184, 2950
_INTEGERS = (20, 21, 23)  # int8, int2, int4
_READ: dict[int, Callable[[bytes], Any]] = {
    **dict.fromkeys(_INTEGERS, int),
    _BOOL: lambda value: value == b"t",
    _TIMESTAMPTZ: lambda value: datetime.fromisoformat(value.decode()),
    _UUID: lambda value: UUID(value.decode()),
}
_number = itertools.count()
_names: WeakKeyDictionary[Any, dict[str, bytes]] = WeakKeyDictionary()  # by connection, in the order of their use


def one(sql: str, params: Mapping[str, object]) -> tuple[Any, ...]:
    """The one row of a statement that is kept in the connection: for one that is sent again and again.

    Booleans, integers, UUIDs and times come as such, anything else as text.

    Args:
        sql: with a type for each parameter that the server cannot deduce.
        params: text, numbers, times and None.

    Raises:
        django.db.Error: as from any other statement.
    """
    statement, names = _numbered(sql)
    wrapper = _connected()
    with wrapper.wrap_database_errors:
        raw = wrapper.connection
        found = raw.pgconn.exec_prepared(_name(raw, sql, statement), _values(names, params))
        if found.status != pq.ExecStatus.TUPLES_OK or found.ntuples != 1:
            _forget(raw, sql)
            raise _error(raw, found)
        return _row(found, 0)


def rows(sql: str, params: Mapping[str, object]) -> list[tuple[Any, ...]]:
    """The rows of a statement that is not kept: one that names a tenant's tables differs from tenant to tenant. Else as `one`."""
    statement, names = _numbered(sql)
    wrapper = _connected()
    with wrapper.wrap_database_errors:
        raw = wrapper.connection
        found = raw.pgconn.exec_params(statement, _values(names, params))
        if found.status != pq.ExecStatus.TUPLES_OK:
            raise _error(raw, found)
        return [_row(found, number) for number in range(found.ntuples)]


def _connected() -> Any:
    wrapper = connections[DEFAULT_DB_ALIAS]
    wrapper.ensure_connection()
    return wrapper


def _values(names: tuple[str, ...], params: Mapping[str, object]) -> list[bytes | None]:
    return [None if (value := params[name]) is None else str(value).encode() for name in names]


@functools.lru_cache(maxsize=1024)
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """`sql` with numbered parameters, and their names in order."""
    names: dict[str, int] = {}
    statement = _PARAMETER.sub(lambda found: f"${names.setdefault(found[1], len(names) + 1)}", sql)
    return statement.encode(), tuple(names)


def _name(raw: Any, sql: str, statement: bytes) -> bytes:
    """Under which the server has it; of those not used for the longest time one goes when there are too many."""
    kept = _names.setdefault(raw, {})
    name = kept.pop(sql, None)
    if name is None:
        if len(kept) >= KEPT:
            raw.pgconn.exec_(b"DEALLOCATE " + kept.pop(next(iter(kept))))
        name = b"tenantry_%d" % next(_number)
        found = raw.pgconn.prepare(name, statement)
        if found.status != pq.ExecStatus.COMMAND_OK:
            raise _error(raw, found)
    kept[sql] = name
    return name


def _forget(raw: Any, sql: str) -> None:
    """Plan it anew next time: a column of another type than when it was planned is an error for as long as the plan is kept."""
    raw.pgconn.exec_(b"DEALLOCATE " + _names[raw].pop(sql))


def _row(found: Any, number: int) -> tuple[Any, ...]:
    return tuple(_value(found, number, column) for column in range(found.nfields))


def _value(found: Any, row: int, column: int) -> Any:
    value = found.get_value(row, column)
    if value is None:
        return None
    read = _READ.get(found.ftype(column))
    return value.decode() if read is None else read(value)


def _error(raw: Any, found: Any) -> Exception:
    """The server's error; where there is none, the connection broke."""
    if found.status == pq.ExecStatus.FATAL_ERROR and found.error_field(pq.DiagnosticField.SQLSTATE):
        return errors.error_from_result(found, raw.info.encoding)
    return errors.OperationalError(raw.pgconn.get_error_message(raw.info.encoding) or "The statement gave no row.")
