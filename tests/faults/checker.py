"""Judges a fault run by what others saw: the clients' history, the receiver's, and the final database; the product is not asked.

After the checkers of Jepsen (https://jepsen.io): it knows only what each side wrote down, and names whatever does not fit together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Saw(StrEnum):
    """How a client's transaction ended, as far as the client knows."""

    OK = "ok"
    ROLLED_BACK = "rolled back"
    UNKNOWN = "unknown"  # it was killed before it could tell


class Kind(StrEnum):
    """What can be wrong."""

    LOST_ROW = "a row that was answered is gone"
    LOST = "an event of a committed transaction has not arrived"
    GHOST = "something came of a transaction that was rolled back"
    TORN = "a row without its delivery, or the other way round"
    STRAY = "something arrived that no delivery accounts for"
    WRONG_TENANT = "something arrived in another tenant's name"
    CHANGED = "what arrived is not what was written"
    UNFINISHED = "a delivery has not come to its end"
    UNDELIVERED = "a delivery is marked as done and has not arrived"
    DUPLICATE = "something arrived more often than attempts were cut off"
    WRONG_WINDOW = "something arrived twice, and nothing was killed between sending and the mark"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that does not fit. `what`: tenant and row, or the key."""

    kind: Kind
    what: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """One request as the receiver had it, whole. `accepted`: it was answered with success, or would have been."""

    key: str
    tenant: str
    row: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class Delivered:
    """One delivery in the final database. `cut_off`: attempts whose process ended before they were marked."""

    tenant: str
    row: str
    key: str
    state: str
    cut_off: int


@dataclass(frozen=True, slots=True)
class Histories:
    """All that is known of one run.

    Attributes:
        clients: how each transaction ended, by tenant and row.
        rows: the business rows in the final database, as tenant and row.
        deliveries: None where nothing durable was written (a control).
        may_repeat: whether something was killed between sending and the mark; else nothing may arrive twice.
    """

    clients: Mapping[tuple[str, str], Saw]
    receipts: tuple[Receipt, ...]
    rows: frozenset[tuple[str, str]]
    deliveries: tuple[Delivered, ...] | None
    may_repeat: bool = True


def check(histories: Histories) -> list[Violation]:
    """All that does not fit; empty for a run in which nothing was lost and nothing came of nothing."""
    return [Violation(kind, what) for kind, what in _all(histories)]


def clients_of(lines: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Saw]:
    """How each transaction ended, from the lines that clients wrote before (`invoked`) and after each."""
    found: dict[tuple[str, str], Saw] = {}
    for line in lines:
        who = (line["tenant"], line["row"])
        found[who] = Saw.UNKNOWN if line["saw"] == "invoked" else Saw(line["saw"])
    return found


def _all(run: Histories) -> Iterator[tuple[Kind, str]]:
    arrived = {(each.tenant, each.row) for each in run.receipts if each.accepted}
    yield from _clients(run, arrived)
    if run.deliveries is not None:
        yield from _torn(run, run.deliveries)
        yield from _ends(run.receipts, run.deliveries)
        yield from _receipts(run.receipts, run.deliveries)
        yield from _repeated(run, run.deliveries)


def _clients(run: Histories, arrived: set[tuple[str, str]]) -> Iterator[tuple[Kind, str]]:
    seen = {(each.tenant, each.row) for each in run.receipts}
    for who, saw in run.clients.items():
        if saw is Saw.OK and who not in run.rows:
            yield Kind.LOST_ROW, _name(who)
        if saw is Saw.ROLLED_BACK and (who in run.rows or who in seen):
            yield Kind.GHOST, _name(who)
        if who not in run.rows and who in seen and saw is Saw.UNKNOWN:
            yield Kind.GHOST, _name(who)
    for who in sorted(run.rows - arrived):
        yield Kind.LOST, _name(who)


def _torn(run: Histories, deliveries: Iterable[Delivered]) -> Iterator[tuple[Kind, str]]:
    owed = {(each.tenant, each.row) for each in deliveries}
    for who in sorted(run.rows ^ owed):
        yield Kind.TORN, _name(who)


def _ends(receipts: Iterable[Receipt], deliveries: Iterable[Delivered]) -> Iterator[tuple[Kind, str]]:
    accepted = {each.key for each in receipts if each.accepted}
    for each in deliveries:
        if each.state != "done":
            yield Kind.UNFINISHED, each.key
        elif each.key not in accepted:
            yield Kind.UNDELIVERED, each.key


def _receipts(receipts: Iterable[Receipt], deliveries: Iterable[Delivered]) -> Iterator[tuple[Kind, str]]:
    by_key = {each.key: each for each in deliveries}
    for receipt in receipts:
        meant = by_key.get(receipt.key)
        if meant is None:
            yield Kind.STRAY, receipt.key
        elif meant.tenant != receipt.tenant:
            yield Kind.WRONG_TENANT, receipt.key
        elif meant.row != receipt.row:
            yield Kind.CHANGED, receipt.key


def _repeated(run: Histories, deliveries: Iterable[Delivered]) -> Iterator[tuple[Kind, str]]:
    """A repetition by another key is a row with two deliveries."""
    times = Counter(each.key for each in run.receipts if each.accepted)
    keys = defaultdict[tuple[str, str], set[str]](set)
    for each in deliveries:
        keys[each.tenant, each.row].add(each.key)
        if times[each.key] > 1 + each.cut_off:
            yield Kind.DUPLICATE, each.key
        if times[each.key] > 1 and not run.may_repeat:
            yield Kind.WRONG_WINDOW, each.key
    for who, found in keys.items():
        if len(found) > 1:
            yield Kind.DUPLICATE, _name(who)


def _name(who: tuple[str, str]) -> str:
    return "/".join(who)
