"""Scopes, transactions, errors, lost connections, raw SQL, threads and hooks, in any order: each step sees its own tenant and no other.

MACHINE_RUNS and MACHINE_STEPS say how many orders are tried, and how long each is.
"""

from __future__ import annotations

import contextvars
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import Thread
from typing import Any

import psycopg
import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.signing import BadSignature, Signer
from django.db import DatabaseError, connection, connections, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from plugin_framework import hooks, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.db.router import OtherTenant
from plugin_framework.models import Delivery
from plugin_framework.sdk import NoTenant
from plugin_framework.tenancy import (
    NOWHERE,
    bound,
    current_scope,
    no_scope,
    path_for,
    public_scope,
    tenant_or_none,
    tenant_scope,
)
from tenants.accounts.models import User
from tenants.models import Tenant
from tests.conftest import Tenants
from tests.dummies.pages import installed
from tests.dummies.prober import Prober
from tests.support.any_order import Entered, Subject, Undone, World

RUNS, STEPS = int(os.environ.get("MACHINE_RUNS", "12")), int(os.environ.get("MACHINE_STEPS", "25"))
WHO = st.sampled_from(["acme", "globex", "initech"])
RAW = (
    "SET search_path = {other}",
    "SET SESSION search_path = {other}, public",
    "SET LOCAL search_path = {other}",
    "RESET search_path",
    "RESET ALL",
    "SELECT set_config('search_path', '{other}', true)",
    "SELECT set_config('search_path', 'public', false)",
)


class AnyOrder(RuleBasedStateMachine):
    """The program as it is, beside a list of what is open."""

    world: World
    counted: Callable[[str, int], None]

    def __init__(self) -> None:
        super().__init__()
        self.open: list[Entered] = []
        self.promised: list[tuple[str | None, str]] = []  # who registered a callback, and what it saw when it ran

    # What is expected.

    @property
    def slug(self) -> str | None:
        """Whose scope it is; "" is the public one, None is none at all."""
        return next((each.slug for each in reversed(self.open) if each.kind == "scope"), None)

    @property
    def subject(self) -> Subject | None:
        return self.world.subjects.get(self.slug or "")

    @property
    def in_transaction(self) -> bool:
        return any(each.kind == "atomic" for each in self.open)

    @invariant()
    def each_step_sees_its_own_tenant_and_no_other(self) -> None:
        subject, slug = self.subject, self.slug
        tenant = tenant_or_none()
        assert (tenant.slug if tenant else None) == (subject.ref.slug if subject else None)
        assert (current_scope() is None) == (slug is None)
        with connection.cursor() as cursor:
            cursor.execute("SHOW search_path")
            path = cursor.fetchone()[0]
        assert path == (path_for(subject.ref.schema) if subject else "public" if slug == "" else NOWHERE)
        assert self.look() == self.expected(subject, slug)

    @staticmethod
    def expected(subject: Subject | None, slug: str | None) -> str:
        return subject.mark if subject else "DatabaseError" if slug == "" else "NoTenant"

    @staticmethod
    def look() -> str:
        """The mark in the current tenant's rows, or why there is none."""
        try:
            with transaction.atomic():
                names = set(User.objects.exclude(name="spoilt").values_list("name", flat=True))
                (name,) = names
                return str(name)
        except NoTenant:
            return "NoTenant"
        except DatabaseError:
            return "DatabaseError"

    # Scopes and transactions.

    def enter(self, manager: AbstractContextManager[Any], kind: str, slug: str | None = None) -> None:
        manager.__enter__()
        self.open.append(Entered(manager, kind, slug))

    @rule(who=WHO)
    def enter_a_tenant(self, who: str) -> None:
        self.enter(tenant_scope(self.world.subjects[who].ref), "scope", who)

    @rule()
    def enter_the_public_scope(self) -> None:
        self.enter(public_scope(), "scope", "")

    @rule()
    def leave_every_scope(self) -> None:
        self.enter(no_scope(), "scope", None)

    @rule()
    def begin(self) -> None:
        self.enter(transaction.atomic(), "atomic")

    @precondition(lambda self: self.open)
    @rule(fails=st.booleans())
    def leave(self, fails: bool) -> None:
        self.unwind(fails)

    def unwind(self, fails: bool) -> None:
        """Leave the innermost; with an error, which rolls back if it is a transaction."""
        last = self.open.pop()
        error = Undone() if fails else None
        with suppress(Undone):
            last.manager.__exit__(type(error) if error else None, error, None)

    @rule()
    def fail_inside_a_savepoint(self) -> None:
        with pytest.raises(Undone), transaction.atomic():
            if self.subject:
                User.objects.update(name="spoilt")
            raise Undone

    @rule()
    def send_a_statement_that_fails(self) -> None:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    # Behind the wrapper's back.

    @rule(sql=st.sampled_from(RAW), who=WHO)
    def set_the_path_by_hand(self, sql: str, who: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql.format(other=self.world.subjects[who].ref.schema))

    @rule(sql=st.sampled_from(RAW), who=WHO)
    def set_the_path_by_hand_and_take_it_back(self, sql: str, who: str) -> None:
        with pytest.raises(Undone), transaction.atomic():
            self.set_the_path_by_hand(sql, who)
            raise Undone

    @precondition(lambda self: not self.in_transaction)
    @rule()
    def close_the_connection(self) -> None:
        connection.close()

    @precondition(lambda self: not self.in_transaction)
    @rule()
    def lose_the_connection(self) -> None:
        connection.ensure_connection()
        connection.connection.pgconn.finish()
        with pytest.raises(Exception, match="closed"), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.close()

    # Code that leaves the scope it was made in.

    @rule(takes_it_along=st.booleans())
    def look_from_a_thread(self, takes_it_along: bool) -> None:
        work = bound(self.look) if takes_it_along else self.look
        found = in_a_thread(work)
        assert found == (self.expected(self.subject, self.slug) if takes_it_along else "NoTenant")

    @rule()
    def look_from_a_copy_of_the_context(self) -> None:
        assert contextvars.copy_context().run(self.look) == self.expected(self.subject, self.slug)

    @rule(who=WHO)
    def step_through_a_generator_made_elsewhere(self, who: str) -> None:
        subject = self.world.subjects[who]
        with tenant_scope(subject.ref):
            step = bound(lambda rows: next(rows, None))
            rows = (self.look() for _ in range(3))
        assert [step(rows) for _ in range(4)] == [*[subject.mark] * 3, None]

    @rule()
    def promise_something_for_the_commit(self) -> None:
        expected = self.expected(self.subject, self.slug)
        transaction.on_commit(lambda: self.promised.append((expected, self.look())))

    @rule(who=WHO)
    def promise_something_in_a_scope_that_is_left_before_the_commit(self, who: str) -> None:
        mark = self.world.subjects[who].mark
        with transaction.atomic(), tenant_scope(self.world.subjects[who].ref):
            transaction.on_commit(lambda: self.promised.append((mark, self.look())))

    @invariant()
    def what_was_promised_ran_in_the_tenant_that_promised_it(self) -> None:
        assert [pair for pair in self.promised if pair[0] != pair[1]] == []

    # Objects, cache, files, signatures.

    @rule(who=WHO)
    def load_again_what_was_loaded_in(self, who: str) -> None:
        subject = self.world.subjects[who]
        if self.slug == who:
            with transaction.atomic():
                subject.someone.refresh_from_db(fields=["email"])
        elif self.subject:
            with pytest.raises(OtherTenant):
                subject.someone.save()

    @rule()
    def ask_for_a_shared_table(self) -> None:
        if self.slug is None:
            with pytest.raises(NoTenant):
                Tenant.objects.count()
        else:
            assert Tenant.objects.filter(slug__in=self.world.subjects).count() == 3

    @rule()
    def use_the_cache(self) -> None:
        if self.slug is None:
            with pytest.raises(NoTenant):
                cache.get("mark")
            return
        mark = self.subject.mark if self.subject else "public"
        assert cache.get("mark") in (None, mark)
        cache.set("mark", mark)
        assert cache.get("mark") == mark

    @rule(who=WHO)
    def use_files(self, who: str) -> None:
        if self.subject is None:
            with pytest.raises(NoTenant):
                default_storage.save("x", ContentFile(b"x"))
            return
        if len(self.subject.files) < 3:
            self.subject.files.append(default_storage.save("x", ContentFile(self.subject.mark.encode())))
        for name in self.world.subjects[who].files:
            assert default_storage.exists(name) == (who == self.slug)

    @rule(who=WHO)
    def use_signatures(self, who: str) -> None:
        if self.subject:
            self.subject.signed = Signer().sign("x")
        signed = self.world.subjects[who].signed
        if signed and who == self.slug:
            assert Signer().unsign(signed) == "x"
        elif signed:
            with pytest.raises(BadSignature):
                Signer().unsign(signed)

    # Plugins and hooks.

    @precondition(lambda self: not self.in_transaction)
    @rule(who=WHO)
    def switch_a_plugin(self, who: str) -> None:
        subject = self.world.subjects[who]
        with tenant_scope(subject.ref):
            (lifecycle.disable if subject.enabled else lifecycle.enable)("prober", SYSTEM)
        subject.enabled = not subject.enabled

    @rule()
    def call_the_handlers(self) -> None:
        subject = self.subject
        if subject is None:
            for call in (lambda: hooks.call_hook("probe"), lambda: hooks.apply_filters("probe_value", [])):
                with pytest.raises(NoTenant):
                    call()
            return
        slug, mark = subject.ref.slug, subject.mark
        assert hooks.call_hook("probe") == ([(slug, mark, slug, [mark])] if subject.enabled else [])
        assert hooks.apply_filters("probe_value", []) == ([mark] if subject.enabled else [])

    @rule()
    def emit_an_event(self) -> None:
        subject = self.subject
        if subject is None:
            with pytest.raises(NoTenant):
                hooks.emit("probe_event", "x")
            return
        with pytest.raises(Undone), transaction.atomic():
            before = {slug: self.deliveries(slug) for slug in self.world.subjects}
            hooks.emit("probe_event", subject.mark)
            more = {slug: self.deliveries(slug) - before[slug] for slug in before}
            assert more == {slug: int(subject.enabled and slug == self.slug) for slug in before}
            raise Undone

    def deliveries(self, slug: str) -> int:
        with tenant_scope(self.world.subjects[slug].ref):
            return Delivery.objects.filter(hook="probe_event").count()

    def teardown(self) -> None:
        while self.open:
            self.unwind(fails=False)
        self.what_was_promised_ran_in_the_tenant_that_promised_it()
        self.counted("orders of things", 1)


def in_a_thread(work: Callable[[], str]) -> str:
    found: list[str] = []

    def run() -> None:
        try:
            found.append(work())
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def forget(raw: psycopg.Connection[Any]) -> None:
    """What a pool does to a connection that is put back."""
    raw.execute("RESET search_path")
    raw.commit()


@contextmanager
def pooled(on: bool) -> Iterator[None]:
    """Let Django's connections come from psycopg's pool."""
    found = connections["default"].settings_dict
    before = found["CONN_MAX_AGE"], dict(found["OPTIONS"])
    if on:
        connection.close()
        found["CONN_MAX_AGE"] = 0
        found["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 4, "reset": forget}
    try:
        yield
    finally:
        connection.close()
        if on:
            connection.close_pool()
        found["CONN_MAX_AGE"], found["OPTIONS"] = before


@pytest.mark.parametrize("pool", [False, True], ids=["a connection for each thread", "psycopg's pool"])
def test_in_any_order_each_step_sees_its_own_tenant_and_no_other(
    committed_db: str, tenants: Tenants, counted: Callable[[str, int], None], pool: bool
) -> None:
    with installed(Prober), pooled(pool):
        AnyOrder.world, AnyOrder.counted = World(tenants), staticmethod(counted)
        run_state_machine_as_test(
            AnyOrder,
            settings=settings(
                max_examples=RUNS,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
            ),
        )
