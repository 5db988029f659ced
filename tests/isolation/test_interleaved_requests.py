"""Many threads, many tenants, plugins switched on and off meanwhile: nobody sees anything of anybody else's."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from secrets import token_hex

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import TenantRef, tenant_scope
from tenants.provisioning import create_tenant
from tests.dummies import canary

TENANTS, THREADS, REQUESTS = 20, 32, 32  # requests of each thread


@dataclass(slots=True)
class Subject:
    """One tenant with its canary, and when its plugin was surely off or surely on (monotonic seconds)."""

    ref: TenantRef
    canary: str
    toggling: threading.Lock = field(default_factory=threading.Lock)
    enabled: bool = True
    since: float = 0.0  # the last change was committed by then
    changing: bool = False

    def known_state(self) -> tuple[bool, float] | None:
        """Whether the plugin is on, and since when; None while it is being changed."""
        return None if self.changing else (self.enabled, self.since)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request got, and the state it must have got it in (None: it changed meanwhile)."""

    number: str
    subject: Subject
    status: int
    body: str
    expected: bool | None


@pytest.fixture
def subjects(committed_db: str) -> list[Subject]:
    made = []
    for index in range(TENANTS):
        ref, mark = create_tenant(f"firm-{index}x", f"Firm {index}", SYSTEM), token_hex(16)
        with tenant_scope(ref):
            for person in range(3):
                get_user_model().objects.create_user(f"p{person}@example.com", "x", name=f"{mark}-{person}")
            configuration.configure("canary", SYSTEM, {"canary": mark})
            lifecycle.enable("canary", SYSTEM)
        made.append(Subject(ref, mark))
    return made


def toggle(subject: Subject) -> None:
    with subject.toggling:
        subject.changing = True
        with tenant_scope(subject.ref):
            if subject.enabled:
                lifecycle.disable("canary", SYSTEM)
            else:
                lifecycle.enable("canary", SYSTEM)
        subject.enabled, subject.since = not subject.enabled, time.monotonic()
        subject.changing = False


def ask(client: Client, subject: Subject, query: str, number: str) -> Answer:
    before, began = subject.known_state(), time.monotonic()
    response = client.get(f"/apps/canary/{query}", headers={"host": subject.ref.host, "x-number": number})
    after = subject.known_state()
    expected = before[0] if before and before == after and before[1] <= began else None
    return Answer(number, subject, response.status_code, response.content.decode(), expected)


def work(subjects: list[Subject], seed: int) -> list[Answer]:
    chance = random.Random(seed)
    client = Client(raise_request_exception=False)
    answers = []
    try:
        for index in range(REQUESTS):
            subject = chance.choice(subjects)
            if chance.random() < 0.1:
                toggle(subject)
            query = chance.choice(["", "", "", "?savepoint", "?fail"])
            answers.append(ask(client, subject, query, f"{seed}.{index}"))
    finally:
        connection.close()
    return answers


@pytest.fixture
def answers(subjects: list[Subject]) -> list[Answer]:
    canary.DISPATCHED.clear()
    with ThreadPoolExecutor(THREADS) as pool:
        return [answer for each in pool.map(work, [subjects] * THREADS, range(THREADS)) for answer in each]


def test_no_tenant_sees_anything_of_another(subjects: list[Subject], answers: list[Answer]) -> None:
    good = [answer for answer in answers if answer.status == 200]
    foreign = [
        answer.number
        for answer in answers
        for other in subjects
        if other is not answer.subject and other.canary in answer.body
    ]
    assert foreign == []
    assert [a.number for a in good if a.subject.canary not in a.body or "spoilt" in a.body] == []
    assert len(answers) == THREADS * REQUESTS
    assert len(good) > len(answers) / 5  # or it would have proved nothing
    by_number = {answer.number: answer for answer in answers}
    mixed_up = [
        call
        for call in canary.DISPATCHED
        if len({call[1], call[2], by_number[call[0]].subject.ref.slug}) != 1
        or call[3] != by_number[call[0]].subject.canary
    ]
    assert mixed_up == []
    assert {number for number, *_ in canary.DISPATCHED} >= {answer.number for answer in good}
    dispatched = {number for number, *_ in canary.DISPATCHED}
    wrongly_off = [a.number for a in answers if a.expected is False and (a.status != 404 or a.number in dispatched)]
    wrongly_on = [a.number for a in answers if a.expected is True and a.status == 404]
    assert (wrongly_off, wrongly_on) == ([], [])
    assert sum(a.expected is False for a in answers) > 50
