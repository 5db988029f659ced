"""Asking the database with a limit: many askers share one question, and none waits longer than it said."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.db.utils import OperationalError

from saas.watch.probe import Probe, Silent


@pytest.fixture
def threads(django_db_blocker: Any, django_db_setup: None) -> Any:
    """Threads may use the database."""
    with django_db_blocker.unblock():
        yield


def test_many_who_ask_at_once_share_one_question(threads: None) -> None:
    go_on, asked, answers = threading.Event(), [], []

    def look() -> str:
        asked.append(threading.current_thread())
        assert go_on.wait(30)
        return "found"

    probe = Probe(look, seconds=30)
    askers = [threading.Thread(target=lambda: answers.append(probe.ask())) for _ in range(5)]
    for each in askers:
        each.start()
    go_on.set()
    for each in askers:
        each.join()
    assert answers == ["found"] * 5
    assert probe.ask() == "found"
    assert len(asked) <= 6


def test_one_that_hangs_is_not_asked_again_meanwhile(threads: None) -> None:
    go_on, asked = threading.Event(), []

    def look() -> str:
        asked.append(1)
        assert go_on.wait(30)
        return "found"

    probe = Probe(look, seconds=0.1)
    for _ in range(3):
        with pytest.raises(Silent):
            probe.ask()
    assert len(asked) == 1
    running = probe._running
    assert running is not None
    go_on.set()
    assert running.ended.wait(30)
    assert probe.ask() == "found"


def test_a_statement_that_takes_too_long_is_ended_by_the_server(threads: None) -> None:
    def look() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")

    probe = Probe(look, seconds=0.2)
    with pytest.raises((OperationalError, Silent)):
        probe.ask()
    running = probe._running
    assert running is not None
    assert running.ended.wait(30)
    assert isinstance(running.error, OperationalError)
