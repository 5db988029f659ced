"""A statement sent again and again: its row, its errors, and how many of them a connection keeps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from django.db import (
    DataError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    OperationalError,
    connection,
    transaction,
)

from plugin_framework.delivery import prepared
from plugin_framework.tenancy import public_scope


@pytest.fixture(autouse=True)
def public(committed_db: str) -> Iterator[None]:
    with public_scope():
        yield


def _kept() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements")
        return {name for (name,) in cursor.fetchall()}


def test_a_row_has_booleans_integers_uuids_texts_and_none() -> None:
    sql = "SELECT %(yes)s::bool, NOT %(yes)s::bool, %(n)s::bigint, %(n)s::smallint, %(key)s::uuid, %(text)s::text, %(none)s::text"
    key = UUID(int=7)
    for number in (3, -4):
        row = prepared.one(sql, {"yes": True, "n": number, "key": str(key), "text": "á 'b' $1 %", "none": None})
        assert row == (True, False, number, number, key, "á 'b' $1 %", None)


def test_what_is_not_kept_has_any_number_of_rows_and_times_with_their_zone() -> None:
    sql = "SELECT number, %(at)s::timestamptz FROM generate_series(1, %(most)s::int) AS number"
    at = datetime(2026, 11, 28, 12, 30, 0, 250000, tzinfo=UTC)
    assert prepared.rows(sql, {"most": 2, "at": at}) == [(1, at), (2, at)]
    assert prepared.rows(sql, {"most": 0, "at": None}) == []
    with pytest.raises(DataError, match="division by zero"):
        prepared.rows("SELECT 1 / %(n)s::int", {"n": 0})
    assert _kept() == set()


def test_it_is_planned_once() -> None:
    for number in range(4):
        assert prepared.one("SELECT %(n)s::int + 1", {"n": number}) == (number + 1,)
    assert len(_kept()) == 1


def test_the_one_not_used_for_the_longest_time_goes() -> None:
    for number in range(prepared.KEPT):
        prepared.one(f"SELECT {number}", {})
    prepared.one("SELECT 0", {})
    before = _kept()
    assert prepared.one("SELECT -1", {}) == (-1,)
    assert len(_kept()) == prepared.KEPT
    assert prepared.one("SELECT 0", {}) == (0,)
    assert len(before - _kept()) == 1
    assert prepared.one("SELECT 1", {}) == (1,)
    assert len(_kept()) == prepared.KEPT


def test_an_error_of_the_server_is_django_s() -> None:
    with pytest.raises(DataError, match="division by zero"):
        prepared.one("SELECT 1 / %(n)s::int", {"n": 0})
    assert prepared.one("SELECT 1 / %(n)s::int", {"n": 1}) == (1,)
    twice = "INSERT INTO public.delivery_lane (tenant_schema, plugin) VALUES ('a', 'b') RETURNING seq"
    prepared.one(twice, {})
    with transaction.atomic(), pytest.raises(IntegrityError), transaction.atomic():
        prepared.one(twice, {})


def test_a_table_that_was_changed_is_met_once_and_then_planned_for_anew() -> None:
    def alter(kind: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE public.altered ALTER n TYPE {kind}")

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE public.altered AS SELECT 1::int AS n")
    assert prepared.one("SELECT n FROM public.altered", {}) == (1,)
    alter("bigint")
    with pytest.raises(NotSupportedError, match="cached plan"):
        prepared.one("SELECT n FROM public.altered", {})
    assert prepared.one("SELECT n FROM public.altered", {}) == (1,)


def test_a_statement_that_cannot_be_prepared_leaves_room_for_others() -> None:
    with pytest.raises(Exception, match="no_such_table"):
        prepared.one("SELECT 1 FROM no_such_table", {})
    assert prepared.one("SELECT 5", {}) == (5,)


def test_a_lost_connection_is_an_operational_error_and_a_fresh_one_prepares_anew(committed_db: str) -> None:
    assert prepared.one("SELECT %(n)s::int", {"n": 1}) == (1,)
    pid = connection.connection.info.backend_pid
    with psycopg.connect(committed_db, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with pytest.raises((OperationalError, InterfaceError)):
        prepared.one("SELECT %(n)s::int", {"n": 1})
    connection.close()
    assert prepared.one("SELECT %(n)s::int", {"n": 2}) == (2,)
