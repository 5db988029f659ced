"""The checker of the isolation storm finds each thing that can be wrong in a history made by hand, and nothing in a good one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.isolation.storm.checker import Asked, Found, Histories, Kind, Post, asked_of, check
from tests.isolation.storm.marks import mark

ACME, SECRET, GLOBEX, STRAY = (mark() for _ in range(4))
PATHS = {"acme": '"t_a", public', "globex": '"t_g", public'}
SEEN = {"tenant": "acme", "path": PATHS["acme"], "own": ACME, "secret": SECRET, "rows": [ACME], "spoilt": 0}


def said(number: str, *, kind: str = "see", **changes: Any) -> Asked:
    """An answer of acme's that says what was seen, in which something may be different."""
    body = json.dumps({**SEEN, "number": number, **changes})
    return Asked(number, "acme", kind, 200, f"HTTP/1.1 200 OK\r\nX: y\r\n\r\n{body}")


def other(kind: str, status: int | None, text: str = "", tenant: str = "acme", **more: Any) -> Asked:
    """An answer that says nothing of what was seen."""
    return Asked("9", tenant, kind, status, text, **more)


GOOD = Histories(
    owners={ACME: "acme", SECRET: "acme", GLOBEX: "globex"},
    paths=PATHS,
    asked=(
        said("1"),
        said("2", kind="emit"),
        said("3", kind="unsay"),
        said("4", kind="thread", bare="no tenant", bound=SEEN),
        other("raise", 500),
        other("wary", 404),
        other("landing", 200, tenant=""),
        other("see", None, f"HTTP/1.1 200 OK\r\n\r\n{ACME}", cut=True),
        replace(said("5", kind="stream"), text=f"HTTP/1.1 200 OK\r\n\r\n[{json.dumps({**SEEN, 'number': '5'})}]"),
    ),
    posts=(Post("acme", SEEN, "2"), Post("acme", SEEN)),
    found=(Found("mail", "globex", f"to {GLOBEX}"), Found("log line", "", "nothing")),
)


def kinds(run: Histories) -> set[Kind]:
    return {violation.kind for violation in check(run)}


def with_asked(*asked: Asked) -> Histories:
    return replace(GOOD, asked=(*GOOD.asked, *asked))


def with_found(found: Found) -> Histories:
    return replace(GOOD, found=(*GOOD.found, found))


def with_seen(**changes: Any) -> Histories:
    return with_asked(said("7", **changes))


def test_a_good_history_passes() -> None:
    assert check(GOOD) == []


NEXT_DOOR: Mapping[str, Any] = {**SEEN, "tenant": "globex", "path": PATHS["globex"]}
BAD = {
    "an answer with another's canary": (with_seen(rows=[ACME, GLOBEX]), {Kind.FOREIGN}),
    "a header with another's canary": (with_asked(other("register", 201, f"Set-Cookie: {GLOBEX}")), {Kind.FOREIGN}),
    "the public page with a canary": (with_asked(other("landing", 200, ACME, tenant="")), {Kind.FOREIGN}),
    "a piece of an answer that was cut off": (with_asked(other("see", None, GLOBEX, cut=True)), {Kind.FOREIGN}),
    "an error page with another's canary": (with_asked(other("raise", 500, GLOBEX)), {Kind.FOREIGN}),
    "a canary that nobody has planted": (with_found(Found("mail", "acme", STRAY)), {Kind.UNKNOWN}),
    "a mail with another's canary": (with_found(Found("mail", "acme", GLOBEX)), {Kind.FOREIGN}),
    "a log line with another tenant's tag": (with_found(Found("log line", "acme", f"x {GLOBEX}")), {Kind.FOREIGN}),
    "a log line without a tag": (with_found(Found("log line", "", ACME)), {Kind.FOREIGN}),
    "a dashboard that shows nothing of its own": (with_asked(other("dashboard", 200, "Welcome")), {Kind.MISSING}),
    "settings of another tenant": (with_seen(own=GLOBEX), {Kind.FOREIGN, Kind.MISSING}),
    "no settings": (with_seen(own=""), {Kind.MISSING}),
    "a secret of nobody": (with_seen(secret=""), {Kind.MISSING}),
    "no rows": (with_seen(rows=[]), {Kind.MISSING}),
    "the path of another schema": (with_seen(path=PATHS["globex"]), {Kind.WRONG_PATH}),
    "no path": (with_seen(path='""'), {Kind.WRONG_PATH}),
    "another tenant": (with_seen(tenant="globex"), {Kind.WRONG_TENANT}),
    "an answer to another request": (with_asked(replace(said("7"), number="8")), {Kind.MIXED_UP}),
    "a row that was rolled back": (with_seen(spoilt=1), {Kind.SPOILT}),
    "a thread that inherited": (with_seen(bare=SEEN), {Kind.INHERITED}),
    "a thread that was handed another": (with_seen(bound=NEXT_DOOR), {Kind.WRONG_TENANT, Kind.WRONG_PATH}),
    "a thread that lost what it was handed": (with_seen(bound="no tenant"), {Kind.WRONG_TENANT}),
    "an error that nobody provoked": (with_asked(other("see", 500)), {Kind.STATUS}),
    "no error where one was provoked": (with_asked(other("raise", 200)), {Kind.STATUS}),
    "a page where no plugin was enabled": (with_asked(other("new", 200)), {Kind.STATUS}),
    "a page on nobody's host": (with_asked(other("stranger", 200, tenant="")), {Kind.STATUS}),
    "a connection that broke": (with_asked(other("see", None)), {Kind.BROKEN}),
    "an event that did not arrive": (with_asked(said("7", kind="emit")), {Kind.LOST}),
    "an event that was rolled back": (replace(GOOD, posts=(*GOOD.posts, Post("acme", SEEN, "3"))), {Kind.GHOST}),
    "an event that arrived in another's name": (
        replace(GOOD, posts=(Post("globex", SEEN, "2"),)),
        {Kind.FOREIGN, Kind.WRONG_TENANT, Kind.WRONG_PATH, Kind.MISSING, Kind.LOST, Kind.GHOST},
    ),
    "a job that ran next door": (
        replace(GOOD, posts=(*GOOD.posts, Post("acme", NEXT_DOOR))),
        {Kind.WRONG_TENANT, Kind.WRONG_PATH},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_each_thing_that_can_be_wrong_is_named(what: str) -> None:
    run, expected = BAD[what]
    assert kinds(run) == expected


def test_each_kind_of_wrong_is_tried() -> None:
    assert {kind for _, expected in BAD.values() for kind in expected} == set(Kind)


def test_requests_are_read_from_what_clients_wrote() -> None:
    line = {"number": "1", "tenant": "acme", "kind": "see", "cut": False, "status": 200, "text": "x"}
    assert list(asked_of([{"new": "fresh", "mark": ACME}, line])) == [Asked("1", "acme", "see", 200, "x", False)]
