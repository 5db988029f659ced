"""Judges an isolation storm by what its clients and receivers wrote down, what was logged, and what is stored; the product is not asked.

It knows whose each canary is. Nothing of one organisation may hold a canary of another, and each answer must hold its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.isolation.storm.marks import MARK

NOBODY = "no tenant"
SERVED = frozenset({200})
# What may be answered to a request that was not cut off; to all others: 200.
STATUSES = {
    "raise": frozenset({500}),
    "wary": frozenset({200, 404}),
    "register": frozenset({201}),
    "stranger": frozenset({404}),
    "new": frozenset({404}),
    "signup": frozenset({302}),
    "welcome": frozenset({302}),
}
SILENT = frozenset("landing stranger new form signup welcome register raise".split())  # show no canary
# Answer as JSON with all that was seen.
OUTSPOKEN = frozenset(
    "see file cache session rollback savepoints rude reconnect stream thread emit unsay enable disable wary".split()
)


class Kind(StrEnum):
    """What can be wrong."""

    FOREIGN = "a canary of another organisation"
    UNKNOWN = "a canary that nobody has planted"
    MISSING = "an answer without its own canary"
    WRONG_PATH = "a wrong search_path"
    WRONG_TENANT = "an answer of another organisation"
    MIXED_UP = "an answer to another request"
    SPOILT = "something that was rolled back"
    INHERITED = "a tenant in a thread that was handed none"
    STATUS = "an answer that was not to be expected"
    BROKEN = "no answer, and nobody had broken off"
    LOST = "an event that was committed and did not arrive"
    GHOST = "an event that was rolled back and arrived"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that does not fit, and where."""

    kind: Kind
    where: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One request and its answer, as its client had it.

    Attributes:
        tenant: whom it asked; "" for the public host.
        status: None if the answer is not whole.
        cut: the client has broken off.
    """

    number: str
    tenant: str
    kind: str
    status: int | None
    text: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A text in a place that belongs to one organisation ("" if to none): a mail, a post, a log line, a stored value."""

    where: str
    tenant: str
    text: str


@dataclass(frozen=True, slots=True)
class Post:
    """What a handler said of itself in a post: whom it was for, what it saw, and which request had emitted it ("" for a job)."""

    tenant: str
    seen: Mapping[str, Any]
    number: str = ""


@dataclass(frozen=True, slots=True)
class Histories:
    """All that is known of one storm.

    Attributes:
        owners: by canary, whose it is.
        paths: by organisation, the search_path that its connections must have.
    """

    owners: Mapping[str, str]
    paths: Mapping[str, str]
    asked: tuple[Asked, ...]
    posts: tuple[Post, ...]
    found: tuple[Found, ...]


def check(run: Histories) -> list[Violation]:
    """All that does not fit; empty for a storm in which nobody saw anything of anybody else's."""
    return [Violation(kind, where) for kind, where in _all(run)]


def asked_of(lines: Iterable[Mapping[str, Any]]) -> Iterator[Asked]:
    """The requests in what the clients wrote down."""
    for line in lines:
        if "number" in line:
            yield Asked(line["number"], line["tenant"], line["kind"], line["status"], line["text"], line["cut"])


def answers(asked: Asked) -> list[dict[str, Any]]:
    """What an outspoken answer says: one object, or a streamed list of them; nothing if it is no such answer."""
    if asked.kind not in OUTSPOKEN or asked.status != 200:
        return []
    found = json.loads(asked.text.partition("\r\n\r\n")[2])
    return found if isinstance(found, list) else [found]


def _all(run: Histories) -> Iterator[tuple[Kind, str]]:
    for asked in run.asked:
        where = f"request {asked.number} ({asked.kind}, {asked.tenant or 'public'})"
        yield from _canaries(run, where, asked.tenant, asked.text)
        yield from _status(asked, where)
        for answer in answers(asked):
            yield from _answer(run, asked, answer, where)
    for post in run.posts:
        where = f"post of {post.tenant} for request {post.number or '(a job)'}"
        yield from _canaries(run, where, post.tenant, json.dumps(dict(post.seen)))
        yield from _seen(run, post.tenant, post.seen, where)
    for each in run.found:
        yield from _canaries(run, each.where, each.tenant, each.text)
    yield from _events(run)


def _canaries(run: Histories, where: str, tenant: str, text: str) -> Iterator[tuple[Kind, str]]:
    for canary in dict.fromkeys(MARK.findall(text)):
        owner = run.owners.get(canary)
        if owner is None:
            yield Kind.UNKNOWN, f"{where}: {canary}"
        elif owner != tenant:
            yield Kind.FOREIGN, f"{where}: {canary} of {owner}"


def _status(asked: Asked, where: str) -> Iterator[tuple[Kind, str]]:
    if asked.cut:
        return
    if asked.status is None:
        yield Kind.BROKEN, where
    elif asked.status not in STATUSES.get(asked.kind, SERVED):
        yield Kind.STATUS, f"{where}: {asked.status}"
    elif asked.status == 200 and asked.kind not in SILENT and not MARK.search(asked.text):
        yield Kind.MISSING, where


def _answer(run: Histories, asked: Asked, answer: Mapping[str, Any], where: str) -> Iterator[tuple[Kind, str]]:
    if answer["number"] != asked.number:
        yield Kind.MIXED_UP, f"{where}: {answer['number']}"
    yield from _seen(run, asked.tenant, answer, where)
    if answer.get("bare", NOBODY) != NOBODY:
        yield Kind.INHERITED, f"{where}: {answer['bare']}"
    if "bound" in answer:
        if isinstance(answer["bound"], dict):
            yield from _seen(run, asked.tenant, answer["bound"], f"{where}, in a thread")
        else:
            yield Kind.WRONG_TENANT, f"{where}, in a thread: {answer['bound']}"


def _seen(run: Histories, tenant: str, seen: Mapping[str, Any], where: str) -> Iterator[tuple[Kind, str]]:
    """`seen` is what one stretch of code saw from inside."""
    if seen["tenant"] != tenant:
        yield Kind.WRONG_TENANT, f"{where}: {seen['tenant']}"
    if seen["path"] != run.paths[tenant]:
        yield Kind.WRONG_PATH, f"{where}: {seen['path']}"
    if seen["spoilt"]:
        yield Kind.SPOILT, where
    if {run.owners.get(each) for each in (seen["own"], seen["secret"])} != {tenant} or not seen["rows"]:
        yield Kind.MISSING, where


def _events(run: Histories) -> Iterator[tuple[Kind, str]]:
    arrived = {(post.tenant, post.number) for post in run.posts if post.number}
    for asked in run.asked:
        who = (asked.tenant, asked.number)
        if asked.kind == "emit" and asked.status == 200 and who not in arrived:
            yield Kind.LOST, f"request {asked.number} of {asked.tenant}"
    emitting = {(asked.tenant, asked.number) for asked in run.asked if asked.kind == "emit"}
    for tenant, number in sorted(arrived - emitting):
        yield Kind.GHOST, f"request {number} of {tenant}"
