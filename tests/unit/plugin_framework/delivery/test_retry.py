"""The retry schedule, as the pure function it is."""

from __future__ import annotations

import math
import random

import pytest

from plugin_framework.delivery.outcome import (
    MAX_ERROR,
    DeadlineExceeded,
    cut_short,
    delivered,
    describe,
    failed,
)
from plugin_framework.delivery.retry import MAX_ATTEMPTS, MOST_ASKED, WAITS, wait_after
from plugin_framework.models.delivery import AttemptOutcome, DeliveryState
from plugin_framework.sdk import DeadLetter, NetworkError, RetryLater


def test_ten_attempts_span_75_hours_and_35_minutes() -> None:
    waits = [wait_after(attempt, 0.5) for attempt in range(1, 11)]
    assert waits == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400, None]
    assert sum(WAITS) == 75 * 3600 + 35 * 60 + 5


@pytest.mark.parametrize("attempt", range(1, MAX_ATTEMPTS))
def test_jitter_stays_within_a_tenth(attempt: int) -> None:
    plain = WAITS[attempt - 1]
    assert wait_after(attempt, 0.0) == pytest.approx(plain * 0.9)
    assert wait_after(attempt, 0.999999) == pytest.approx(plain * 1.1, rel=1e-4)


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [(600, 600, 660), (0, 1, 301), (-5, 1, 301), (10**9, 86400, 95040), (math.inf, 86400, 95040)],
)
def test_what_the_other_side_asks_for_is_obeyed_within_bounds(asked: float, least: float, most: float) -> None:
    for chance in (0.0, 0.5, 0.99):
        wait = wait_after(2, chance, asked)
        assert wait is not None
        assert least <= wait <= max(most, 330)


def test_a_nonsensical_request_is_ignored() -> None:
    assert wait_after(1, 0.5, math.nan) == 5


def test_no_request_gives_an_eleventh_attempt() -> None:
    assert wait_after(10, 0.5, 60) is None


def test_a_failure_is_tried_again_until_the_tenth() -> None:
    for attempt in range(1, 10):
        outcome = failed(ValueError("no"), attempt, 3)
        assert (outcome.state, outcome.attempt, outcome.error) == (
            DeliveryState.DUE,
            AttemptOutcome.FAILED,
            "ValueError: no",
        )
        assert outcome.wait is not None
    last = failed(ValueError("no"), 10, 3)
    assert (last.state, last.wait) == (DeliveryState.DEAD, None)
    assert last.error == "Given up after 10 attempts. The last one: ValueError: no"


@pytest.mark.parametrize(
    "error", [DeadLetter("No such channel."), NetworkError("No such channel.", status=410, permanent=True)]
)
def test_a_permanent_failure_is_a_dead_letter_at_once(error: Exception) -> None:
    outcome = failed(error, 1, 3)
    assert (outcome.state, outcome.wait, outcome.error) == (DeliveryState.DEAD, None, "No such channel.")


@pytest.mark.parametrize(
    "error", [RetryLater("Busy.", after=1000), NetworkError("Busy.", status=429, retry_after=1000)]
)
def test_retry_after_reaches_the_schedule(error: Exception) -> None:
    outcome = failed(error, 1, 3)
    assert outcome.wait is not None
    assert 1000 <= outcome.wait <= 1100


def test_the_other_sides_status_is_kept() -> None:
    assert failed(NetworkError("No.", status=503), 1, 3).response_status == 503
    assert failed(ValueError("no"), 1, 3, 502).response_status == 502
    assert delivered(3, 204).response_status == 204


def test_an_attempt_cut_short_through_no_fault_of_its_own_is_due_at_once() -> None:
    outcome = cut_short("The worker was stopped.", 1, None, at_once=True)
    assert (outcome.state, outcome.attempt, outcome.wait) == (DeliveryState.DUE, AttemptOutcome.INTERRUPTED, 0.0)


def test_a_killed_tenth_attempt_is_a_dead_letter() -> None:
    outcome = cut_short("It did not end.", 10, 45000)
    assert (outcome.state, outcome.attempt, outcome.wait) == (DeliveryState.DEAD, AttemptOutcome.KILLED, None)


class _Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("one\x00two\x1b[31m"), "ValueError: one two [31m"),
        (ValueError(), "ValueError"),
        (ValueError("half a pair: \ud800"), "ValueError: half a pair:"),
        (_Unspeakable(), "_Unspeakable"),
        (SystemExit(3), "SystemExit: 3"),
        (DeadlineExceeded("It took longer than 30 s and was stopped."), "It took longer than 30 s and was stopped."),
        (RetryLater("Busy."), "Busy."),
        (NetworkError("The host does not answer."), "The host does not answer."),
    ],
)
def test_reasons_are_plain_words_that_the_database_can_hold(error: BaseException, text: str) -> None:
    assert describe(error) == text


def test_a_reason_is_never_longer_than_its_column() -> None:
    assert len(describe(ValueError("x" * 10_000))) == MAX_ERROR
    assert len(failed(ValueError("x" * 10_000), 10, 1).error) == MAX_ERROR


def test_ten_thousand_schedules_stay_within_a_tenth_of_75_hours_and_35_minutes() -> None:
    chance = random.Random(20261123)
    plain = sum(WAITS)
    totals = []
    for _ in range(10_000):
        waits = [wait_after(attempt, chance.random()) for attempt in range(1, MAX_ATTEMPTS)]
        assert all(
            wait is not None and 0.9 * usual <= wait <= 1.1 * usual for wait, usual in zip(waits, WAITS, strict=True)
        )
        totals.append(sum(wait for wait in waits if wait is not None))
    assert 0.9 * plain <= min(totals) < 0.96 * plain
    assert 1.04 * plain < max(totals) <= 1.1 * plain


def test_ten_thousand_requests_for_more_time_are_obeyed_and_capped() -> None:
    chance = random.Random(20261124)
    for _ in range(10_000):
        asked, attempt = chance.uniform(-10, 3 * MOST_ASKED), chance.randrange(1, MAX_ATTEMPTS)
        wait = wait_after(attempt, chance.random(), asked)
        assert wait is not None
        assert min(asked, MOST_ASKED) <= wait <= 1.1 * MOST_ASKED
