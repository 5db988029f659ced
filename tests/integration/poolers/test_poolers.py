"""A pooler that mixes clients up is found before anything is served; with a real PgBouncer, in each of its modes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import connection

from plugin_framework.db.pooler import UnsafePooler, hears, refuse_unsafe
from tests.support.pgbouncer import pgbouncer, through

SHARED_UNSAFELY = r"a client that had set \"(tenantry_test_\w+)?\".* worked with .*track_extra_parameters = search_path"


@pytest.fixture
def empty_path(committed_db: str) -> None:
    """The database gives no path to whoever asks for none, as docs/operations/poolers.md says."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER DATABASE {connection.ops.quote_name(connection.settings_dict['NAME'])} SET search_path = ''"
        )


def test_a_direct_connection_is_safe_and_hears(committed_db: str) -> None:
    assert refuse_unsafe() is False
    assert hears()


def test_pooling_by_session_is_safe_and_hears(empty_path: None, tmp_path: Path) -> None:
    with pgbouncer(tmp_path, "session") as url:
        assert refuse_unsafe(through(url)) is False
        assert hears(through(url))


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("pool", [{}, {"server_round_robin": 1, "min_pool_size": 3}, {"default_pool_size": 1}])
def test_pooling_by_transaction_or_statement_is_refused(
    empty_path: None, tmp_path: Path, mode: str, pool: dict[str, int]
) -> None:
    with pgbouncer(tmp_path, mode, **pool) as url:
        with pytest.raises(UnsafePooler, match=SHARED_UNSAFELY):
            refuse_unsafe(through(url))


def test_nobody_hears_through_a_pool_by_transaction(empty_path: None, tmp_path: Path) -> None:
    with pgbouncer(tmp_path, "transaction") as url:
        assert not hears(through(url))


def test_a_pooler_that_drops_the_empty_path_is_refused_with_the_remedy(committed_db: str, tmp_path: Path) -> None:
    with pgbouncer(tmp_path, "session") as url:
        with pytest.raises(UnsafePooler, match=r'starts with the search_path "\$user", public.*ALTER DATABASE'):
            refuse_unsafe(through(url))


def test_a_pooler_that_refuses_options_is_told_of_with_the_remedy(empty_path: None, tmp_path: Path) -> None:
    with pgbouncer(tmp_path, "session", ignore_startup_parameters="") as url:
        with pytest.raises(UnsafePooler, match="ignore_startup_parameters = options"):
            refuse_unsafe(through(url))


@pytest.mark.tracking_pooler
def test_pooling_by_transaction_is_safe_where_the_path_is_carried_along(empty_path: None, tmp_path: Path) -> None:
    carried = {"track_extra_parameters": "IntervalStyle, search_path", "ignore_startup_parameters": ""}
    with pgbouncer(tmp_path, "transaction", program_=os.environ["PGBOUNCER_TRACKING"], **carried) as url:
        assert refuse_unsafe(through(url)) is True
        assert not hears(through(url))
