"""What a handler does to the database is its own, kept or undone as a whole, whether or not its caller has a transaction."""

from __future__ import annotations

import contextlib
import contextvars
import logging
import threading
from collections.abc import Callable, Iterator

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, transaction

from plugin_framework import activation, hooks, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.db.savepoints import inside_handler
from plugin_framework.sdk import call_hook, hook
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.dummies.pages import installed
from tests.integration.engine.dummies import Bare, Caller

STEPS: dict[str, Callable[[], object]] = {}  # what each plugin's handler does; a test says


class Outer(Bare):
    """Handles one hook."""

    name = "outer"

    @hook("knock")
    def on_knock(self, who: str) -> object:
        return STEPS["outer"]()


class Inner(Bare):
    """Handles another, which a handler of the first may call."""

    name = "inner"

    @hook("ask")
    def on_ask(self, who: str) -> object:
        return STEPS["inner"]()


@pytest.fixture
def acme(committed_db: str, tenants: Tenants) -> Iterator[None]:
    """Inside the tenant, which has all three plugins."""
    with installed(Caller, Outer, Inner):
        with tenant_scope(tenants.acme):
            for name in ("caller", "outer", "inner"):
                lifecycle.enable(name, SYSTEM)
        STEPS.clear()
        with tenant_scope(tenants.acme):
            yield
        activation.cache.clear()


def knock() -> list[object]:
    return call_hook("knock", "you")


@pytest.fixture(params=["in the caller's transaction", "outside of one"])
def caller(request: pytest.FixtureRequest, acme: None) -> Callable[[], list[object]]:
    """A function that calls the outer hook, in both ways."""
    return knock if request.param == "outside of one" else transaction.atomic(knock)


def write(email: str) -> None:
    get_user_model().objects.create_user(f"{email}@example.com", "x")


def written() -> set[str]:
    found = get_user_model().objects.values_list("email", flat=True)
    return {email.partition("@")[0] for email in found}


def fail() -> None:
    raise RuntimeError("planned")


def steps(*each: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        for step in each:
            step()

    return run


ASKED: dict[str, Callable[[], object]] = {
    "in_atomic_block": lambda: connection.in_atomic_block is True,
    "atomic_blocks": lambda: len(connection.atomic_blocks) == 1,
    "get_autocommit": lambda: connection.get_autocommit() is False,
}


@pytest.mark.parametrize("what", ASKED)
def test_it_finds_a_transaction_whatever_it_asks_for_first(caller: Callable[[], list[object]], what: str) -> None:
    STEPS["outer"] = ASKED[what]
    assert caller() == [True]


def test_rows_can_be_locked_without_further_ado(caller: Callable[[], list[object]]) -> None:
    STEPS["outer"] = lambda: list(get_user_model().objects.select_for_update())
    assert caller() == [[]]


def test_a_block_that_must_commit_by_itself_is_refused(
    caller: Callable[[], list[object]], caplog: pytest.LogCaptureFixture
) -> None:
    def durable() -> None:
        with transaction.atomic(durable=True):
            write("durable")

    STEPS["outer"] = durable
    assert caller() == []
    assert "durable atomic block cannot be nested" in caplog.text
    assert written() == set()


@pytest.mark.parametrize("how", ["plain", "atomic", "psycopg"])
def test_what_a_failing_handler_has_written_is_undone(caller: Callable[[], list[object]], how: str) -> None:
    def psycopg() -> None:
        connection.ensure_connection()
        with connection.cursor():
            pass
        connection.connection.execute("UPDATE accounts_user SET email = 'psycopg@example.com'")

    write("before")
    ways = {"plain": lambda: write("lost"), "atomic": transaction.atomic(lambda: write("lost")), "psycopg": psycopg}
    STEPS["outer"] = steps(ways[how], fail)
    assert caller() == []
    assert written() == {"before"}


def test_what_a_failing_handler_has_put_off_until_the_commit_is_dropped(caller: Callable[[], list[object]]) -> None:
    ran: list[str] = []
    STEPS["outer"] = steps(lambda: transaction.on_commit(lambda: ran.append("failed")), fail)
    caller()
    assert ran == []
    STEPS["outer"] = lambda: transaction.on_commit(lambda: ran.append("kept"))
    caller()
    assert ran == ["kept"]


def test_a_swallowed_database_error_is_no_success(
    caller: Callable[[], list[object]], caplog: pytest.LogCaptureFixture
) -> None:
    def swallow() -> str:
        write("lost")
        with pytest.raises(DatabaseError):
            connection.cursor().execute("SELECT 1 / 0")
        return "all is well"

    STEPS["outer"] = swallow
    assert caller() == []
    assert "swallowed a database error" in caplog.text
    assert written() == set()


def test_a_failing_inner_handler_takes_nothing_of_the_outer_one_along(caller: Callable[[], list[object]]) -> None:
    STEPS["inner"] = steps(lambda: write("inner"), fail)
    STEPS["outer"] = steps(lambda: call_hook("ask", "you"), lambda: write("outer"))
    caller()
    assert written() == {"outer"}


def test_a_failing_outer_handler_takes_the_inner_one_along(caller: Callable[[], list[object]]) -> None:
    STEPS["inner"] = lambda: write("inner")
    STEPS["outer"] = steps(lambda: call_hook("ask", "you"), fail)
    caller()
    assert written() == set()


def test_after_a_failure_the_next_handler_starts_afresh(caller: Callable[[], list[object]]) -> None:
    STEPS["inner"] = steps(lambda: write("inner"), fail)
    STEPS["outer"] = steps(lambda: write("one"), lambda: call_hook("ask", "you"), lambda: write("two"))
    caller()
    STEPS["outer"] = lambda: write("three")
    caller()
    assert written() == {"one", "two", "three"}
    assert not connection.in_atomic_block


@pytest.mark.usefixtures("acme")
def test_a_handler_that_loses_its_own_connection_has_failed(caplog: pytest.LogCaptureFixture) -> None:
    STEPS["outer"] = steps(lambda: write("lost"), connection.close)
    assert knock() == []
    assert "outer.on_knock of 'knock' failed" in caplog.text
    assert written() == set()


@pytest.mark.usefixtures("acme")
def test_a_handler_that_only_closes_the_connection_leaves_a_usable_one() -> None:
    STEPS["outer"] = connection.close
    assert knock() == []
    assert written() == set()


@pytest.mark.usefixtures("acme")
def test_psycopgs_own_connection_is_in_the_handlers_transaction(tenants: Tenants) -> None:
    def bypass() -> None:
        connection.ensure_connection()
        connection.connection.execute(f"UPDATE {tenants.acme.schema}.accounts_user SET email = 'lost@example.com'")

    write("before")
    STEPS["outer"] = steps(bypass, fail)
    assert knock() == []
    assert written() == {"before"}


@pytest.mark.usefixtures("acme")
def test_a_handler_that_loses_its_callers_connection_does_not_hide_it() -> None:
    STEPS["outer"] = steps(lambda: write("lost"), connection.close)
    with pytest.raises(DatabaseError), transaction.atomic():
        write("before")
        knock()
    assert written() == set()


def test_a_log_that_is_kept_in_the_database_is_nobodys_work(caller: Callable[[], list[object]]) -> None:
    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            write(f"logged{record.lineno}")

    keeper = Keeper()
    STEPS["outer"] = steps(lambda: write("lost"), fail)
    hooks.log.addHandler(keeper)
    try:
        assert caller() == []
    finally:
        hooks.log.removeHandler(keeper)
    assert len(written()) == 1
    assert not connection.in_atomic_block


def test_a_thread_with_a_copy_of_the_context_has_its_own_connection(caller: Callable[[], list[object]]) -> None:
    def elsewhere() -> None:
        assert inside_handler()  # somebody still waits for it
        write("elsewhere")
        connection.close()

    def in_a_thread() -> None:
        thread = threading.Thread(target=contextvars.copy_context().run, args=(elsewhere,))
        thread.start()
        thread.join()
        fail()

    STEPS["outer"] = in_a_thread
    assert caller() == []
    assert written() == {"elsewhere"}


def test_a_handler_that_runs_a_coroutine_stays_the_same_handler(caller: Callable[[], list[object]]) -> None:
    seen: list[bool] = []

    async def elsewhere() -> None:  # in a thread of its own, with a copy of the context
        call_hook("ask", "you")

    STEPS["inner"] = lambda: seen.append(inside_handler())
    STEPS["outer"] = steps(async_to_sync(elsewhere), lambda: write("lost"), fail)
    assert caller() == []
    assert seen == [True]
    assert written() == set()
    assert not connection.in_atomic_block


def test_a_loop_through_threads_ends(caller: Callable[[], list[object]]) -> None:
    depths: list[int] = []

    def again() -> None:
        depths.append(len(depths))
        thread = threading.Thread(target=contextvars.copy_context().run, args=(knock_quietly,))
        thread.start()
        thread.join()

    def knock_quietly() -> None:
        with contextlib.suppress(hooks.TooDeep):
            knock()

    STEPS["outer"] = again
    caller()
    assert len(depths) == hooks.MAX_DEPTH


def test_a_handler_that_enters_another_scope_stays_the_same_handler(
    caller: Callable[[], list[object]], tenants: Tenants
) -> None:
    seen: list[bool] = []

    def elsewhere() -> None:
        with tenant_scope(tenants.globex):
            seen.append(inside_handler())
            write("lost")

    STEPS["outer"] = steps(elsewhere, fail)
    assert caller() == []
    assert seen == [True]
    with tenant_scope(tenants.globex):
        assert written() == set()
    assert not inside_handler()


def test_a_handler_that_sends_nothing_costs_no_round_trip(caller: Callable[[], list[object]]) -> None:
    sent: list[str] = []

    def note(execute: Callable[..., object], sql: str, *rest: object) -> object:
        sent.append(sql)
        return execute(sql, *rest)

    STEPS["outer"] = lambda: "done"
    assert caller() == ["done"]  # the active set is built
    with connection.execute_wrapper(note):
        assert caller() == ["done"]
    assert sent == []
    assert inside_handler() is False
