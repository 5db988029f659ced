"""The checker finds each thing that can be wrong in a history made by hand, and nothing in a good one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.checker import Delivered, Histories, Kind, Receipt, Saw, check, clients_of

A1, A2, A3, B1, B2 = ("acme", "1"), ("acme", "2"), ("acme", "3"), ("globex", "1"), ("globex", "2")
GOOD = Histories(
    clients={A1: Saw.OK, A2: Saw.ROLLED_BACK, A3: Saw.UNKNOWN, B1: Saw.OK, B2: Saw.UNKNOWN},
    receipts=(
        Receipt("k1", "acme", "1", accepted=False),
        Receipt("k1", "acme", "1", accepted=True),
        Receipt("k3", "acme", "3", accepted=True),
        Receipt("k4", "globex", "1", accepted=True),
        Receipt("k4", "globex", "1", accepted=True),
    ),
    rows=frozenset({A1, A3, B1}),
    deliveries=(
        Delivered("acme", "1", "k1", "done", 0),
        Delivered("acme", "3", "k3", "done", 1),
        Delivered("globex", "1", "k4", "done", 1),
    ),
)


def _kinds(run: Histories) -> set[Kind]:
    return {violation.kind for violation in check(run)}


def _without(*numbers: int) -> tuple[Receipt, ...]:
    return tuple(receipt for number, receipt in enumerate(GOOD.receipts) if number not in numbers)


def _delivery(number: int, **changes: object) -> tuple[Delivered, ...]:
    deliveries = list(GOOD.deliveries or ())
    deliveries[number] = replace(deliveries[number], **changes)
    return tuple(deliveries)


def test_a_good_history_passes() -> None:
    assert check(GOOD) == []


BAD = {
    "a row that was answered is gone": (
        replace(GOOD, rows=GOOD.rows - {B1}, deliveries=GOOD.deliveries[:2], receipts=_without(3, 4)),
        {Kind.LOST_ROW},
    ),
    "an event has not arrived": (replace(GOOD, receipts=_without(2)), {Kind.LOST, Kind.UNDELIVERED}),
    "an event was only refused": (replace(GOOD, receipts=_without(1)), {Kind.LOST, Kind.UNDELIVERED}),
    "a rolled back row is there": (
        replace(GOOD, rows=GOOD.rows | {A2}),
        {Kind.GHOST, Kind.TORN, Kind.LOST},
    ),
    "something of a rolled back row arrived": (
        replace(GOOD, receipts=(*GOOD.receipts, Receipt("k2", "acme", "2", accepted=True))),
        {Kind.GHOST, Kind.STRAY},
    ),
    "something of an unknown row arrived and the row is not there": (
        replace(GOOD, receipts=(*GOOD.receipts, Receipt("k5", "globex", "2", accepted=True))),
        {Kind.GHOST, Kind.STRAY},
    ),
    "a row has no delivery": (
        replace(GOOD, deliveries=GOOD.deliveries[1:]),
        {Kind.TORN, Kind.STRAY},
    ),
    "a delivery has no row": (
        replace(GOOD, deliveries=(*GOOD.deliveries, Delivered("globex", "2", "k5", "done", 0))),
        {Kind.TORN, Kind.UNDELIVERED},
    ),
    "a key that nobody gave out": (
        replace(GOOD, receipts=(*GOOD.receipts, Receipt("k9", "acme", "1", accepted=True))),
        {Kind.STRAY},
    ),
    "another tenant's name": (
        replace(GOOD, receipts=(*_without(2), Receipt("k3", "globex", "3", accepted=True))),
        {Kind.WRONG_TENANT, Kind.LOST},
    ),
    "another row's content": (
        replace(GOOD, receipts=(*GOOD.receipts[:2], Receipt("k3", "acme", "1", accepted=True), *GOOD.receipts[3:])),
        {Kind.CHANGED, Kind.LOST},
    ),
    "still waiting": (replace(GOOD, deliveries=_delivery(1, state="due")), {Kind.UNFINISHED}),
    "given up": (replace(GOOD, deliveries=_delivery(1, state="dead")), {Kind.UNFINISHED}),
    "twice, and nothing was cut off": (replace(GOOD, deliveries=_delivery(2, cut_off=0)), {Kind.DUPLICATE}),
    "three times, and one was cut off": (
        replace(GOOD, receipts=(*GOOD.receipts, GOOD.receipts[4])),
        {Kind.DUPLICATE},
    ),
    "twice under two keys": (
        replace(
            GOOD,
            deliveries=(*GOOD.deliveries, Delivered("acme", "1", "k1b", "done", 0)),
            receipts=(*GOOD.receipts, Receipt("k1b", "acme", "1", accepted=True)),
        ),
        {Kind.DUPLICATE},
    ),
    "twice, and nothing was killed where that may happen": (replace(GOOD, may_repeat=False), {Kind.WRONG_WINDOW}),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_history_is_found(name: str) -> None:
    run, kinds = BAD[name]
    assert _kinds(run) == kinds


def test_every_kind_of_violation_is_tried() -> None:
    assert set().union(*(kinds for _, kinds in BAD.values())) == set(Kind)


def test_a_client_that_was_killed_leaves_an_unknown_end() -> None:
    lines = [
        {"tenant": "acme", "row": "1", "saw": "invoked"},
        {"tenant": "acme", "row": "1", "saw": "ok"},
        {"tenant": "acme", "row": "2", "saw": "invoked"},
        {"tenant": "acme", "row": "3", "saw": "invoked"},
        {"tenant": "acme", "row": "3", "saw": "rolled back"},
    ]
    assert clients_of(lines) == {("acme", "1"): Saw.OK, ("acme", "2"): Saw.UNKNOWN, ("acme", "3"): Saw.ROLLED_BACK}


def test_a_control_without_deliveries_is_judged_by_what_arrived() -> None:
    assert check(replace(GOOD, deliveries=None)) == []
    assert _kinds(replace(GOOD, deliveries=None, receipts=_without(2))) == {Kind.LOST}
