"""Counting against abuse."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from plugin_framework.tenancy import public_scope, tenant_scope
from saas.throttle import allow
from saas.throttle.models import Counter
from tests.conftest import Tenants


def ask(key: str = "somebody", bucket: str = "door", limit: int = 2, seconds: float = 60) -> bool:
    return allow(bucket, key, limit=limit, seconds=seconds)


def age(minutes: int) -> None:
    """Let the windows have begun `minutes` earlier."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("UPDATE throttle_counter SET started_at = started_at - make_interval(mins => %s)", [minutes])


def test_as_many_as_allowed_pass_and_no_more(tenants: Tenants) -> None:
    assert [ask() for _ in range(4)] == [True, True, False, False]


def test_keys_and_buckets_are_counted_apart(tenants: Tenants) -> None:
    assert [ask(limit=1), ask("another", limit=1), ask(bucket="window", limit=1)] == [True, True, True]
    assert not ask(limit=1)


def test_a_new_window_begins_when_the_old_one_is_over(tenants: Tenants) -> None:
    assert [ask(limit=1), ask(limit=1)] == [True, False]
    age(minutes=2)
    assert [ask(limit=1), ask(limit=1)] == [True, False]


def test_tries_past_the_limit_do_not_make_the_window_longer(tenants: Tenants) -> None:
    ask(limit=1, seconds=600)
    age(minutes=9)
    assert not ask(limit=1, seconds=600)
    age(minutes=2)
    assert ask(limit=1, seconds=600)


def test_it_is_one_statement_and_the_same_count_in_every_scope(tenants: Tenants) -> None:
    sent: list[str] = []

    def watch(execute, sql, params, many, context):  # type: ignore[no-untyped-def]  # Django's wrapper protocol
        sent.append(sql)
        return execute(sql, params, many, context)

    allow("first", "come", limit=1, seconds=1)  # whoever begins a window may tidy up as well
    with connection.execute_wrapper(watch):
        assert not allow("first", "come", limit=1, seconds=60)
        with tenant_scope(tenants.acme):
            assert allow("first", "come", limit=3, seconds=60)
        with tenant_scope(tenants.globex):
            assert not allow("first", "come", limit=3, seconds=60)
    assert [each.split()[0] for each in sent if "set_config" not in each] == ["INSERT"] * 3


def test_whom_it_counts_is_not_stored(tenants: Tenants) -> None:
    ask("203.0.113.9")
    ask("\ud800\x00")
    with public_scope():
        assert all(row.key[:3] != "203" and len(row.key) == 64 for row in Counter.objects.all())


@pytest.mark.parametrize("limit", [1, 37])
def test_sixteen_threads_get_exactly_the_limit(committed_db: str, limit: int) -> None:
    def tries(_: int) -> int:
        try:
            return sum(ask(limit=limit) for _ in range(25))
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(tries, range(16))) == limit
