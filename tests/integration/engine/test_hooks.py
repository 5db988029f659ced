"""Hooks reach the current tenant's plugins only, in one order, and a handler's failure is its own."""

from __future__ import annotations

import logging
from contextlib import nullcontext

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from plugin_framework import hooks, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.models import Delivery
from plugin_framework.sdk import NoTenant, UnknownHook, Veto
from plugin_framework.tenancy import no_scope, public_scope, tenant_scope
from tests.conftest import Tenants
from tests.integration.engine.dummies import CALLS, Broken

PERSON = "eve@example.com"


def enable(*names: str) -> None:
    for name in names:
        lifecycle.enable(name, SYSTEM)


def name_of_the_person() -> str:
    return str(get_user_model().objects.get(email=PERSON).name)


@pytest.fixture
def eve(acme: Tenants) -> None:
    get_user_model().objects.create_user(PERSON, "x", name="untouched")


def test_handlers_run_by_dependency_before_priority(acme: Tenants) -> None:
    enable("omega", "alpha")
    assert hooks.call_hook("knock", "you") == ["alpha heard you", "omega heard you"]
    assert hooks.apply_filters("polish", ">") == ">az"


def test_a_tenant_that_enabled_nothing_runs_nothing(acme: Tenants) -> None:
    enable("omega", "alpha")
    with tenant_scope(acme.globex):
        assert hooks.call_hook("knock", "you") == []
        assert hooks.apply_filters("polish", ">") == ">"
        hooks.emit("left", "you")
        assert not Delivery.objects.exists()
    assert CALLS == []


def test_an_event_is_written_and_not_run(acme: Tenants) -> None:
    enable("alpha")
    hooks.emit("left", "you")
    row = Delivery.objects.get(hook="left")
    assert (row.plugin, row.handler, row.payload) == ("alpha", "on_left", ["you"])


@pytest.mark.parametrize("how", ["raise", "database", "swallow", "veto"])
@pytest.mark.usefixtures("eve")
def test_a_failing_handler_leaves_no_trace_and_the_others_run(
    acme: Tenants, how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Broken, "how", how)
    enable("broken")
    with transaction.atomic():
        get_user_model().objects.filter(email=PERSON).update(name="by the caller")
        hooks.call_hook("knock", PERSON)
    assert name_of_the_person() == "by the caller"
    enable("alpha")
    with caplog.at_level(logging.WARNING), transaction.atomic():
        assert hooks.call_hook("knock", PERSON) == [f"alpha heard {PERSON}"]
    assert name_of_the_person() == "alpha was here"
    assert "broken.on_knock" in caplog.text


@pytest.mark.usefixtures("eve")
def test_outside_of_a_transaction_each_handler_has_its_own(committed_db: str, acme: Tenants) -> None:
    enable("broken", "alpha")
    assert hooks.call_hook("knock", PERSON) == [f"alpha heard {PERSON}"]
    assert name_of_the_person() == "alpha was here"


def statement_timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.usefixtures("eve")
def test_a_statement_of_a_handler_is_ended_after_a_while_and_the_callers_own_limit_stays(
    committed_db: str, acme: Tenants, inside: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Broken, "how", "slow")
    enable("broken", "alpha")
    with transaction.atomic() if inside else nullcontext():
        if inside:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = '77s'")
        assert hooks.call_hook("knock", PERSON) == [f"alpha heard {PERSON}"]
        assert statement_timeout() == ("77s" if inside else "0")
    assert "canceling statement due to statement timeout" in caplog.text
    assert name_of_the_person() == "alpha was here"


def test_a_filter_that_fails_is_skipped_and_the_value_kept(acme: Tenants) -> None:
    enable("broken", "alpha")
    assert hooks.apply_filters("polish", ">") == ">a"


def test_a_veto_reaches_the_caller_only_where_it_is_allowed(acme: Tenants) -> None:
    enable("broken", "alpha")
    with pytest.raises(Veto, match="eve may not"):
        hooks.call_hook("ask", "eve")
    assert hooks.call_hook("knock", "eve") == ["alpha heard eve"]


def test_a_loop_ends_with_a_sentence_in_the_log(acme: Tenants, caplog: pytest.LogCaptureFixture) -> None:
    enable("looping")
    hooks.call_hook("knock", "you")
    assert len(CALLS) == hooks.MAX_DEPTH
    assert "is nested 9 deep" in caplog.text
    assert hooks.apply_filters("polish", ">") == ">"


def test_a_name_nobody_declares_is_refused_as_is_the_wrong_kind(acme: Tenants) -> None:
    for call in (hooks.call_hook, hooks.apply_filters, hooks.emit):
        with pytest.raises(UnknownHook, match="nonesuch"):
            call("nonesuch", "x")
    with pytest.raises(UnknownHook, match="'knock' as filter"):
        hooks.apply_filters("knock", "x")
    with pytest.raises(TypeError, match="2 arguments were given"):
        hooks.emit("left", "a", "b")


def test_without_a_tenant_no_hook_runs_for_all(acme: Tenants) -> None:
    enable("alpha")
    for scope in (no_scope, public_scope):
        with scope(), pytest.raises(NoTenant):
            hooks.call_hook("knock", "you")
    assert CALLS == []
