"""What is known of secrets: whose they are, who gets them hidden, and how many are remembered."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from plugin_framework import masking
from plugin_framework.sdk._masking import HIDDEN
from plugin_framework.tenancy import TenantRef, tenant_scope

ACME, GLOBEX = (
    TenantRef(slug=name, name=name, host=f"{name}.localhost", schema=f"t_{name}") for name in ("acme", "globex")
)
SECRET = "tiger-lily-7"


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    masking.forget()
    yield
    masking.forget()


def test_a_tenants_secret_is_hidden_there_and_not_from_others_who_guess_it() -> None:
    masking.know([SECRET], ACME.schema)
    with tenant_scope(ACME):
        assert masking.masked(f"it is {SECRET}") == f"it is {HIDDEN}"
    with tenant_scope(GLOBEX):
        assert masking.masked(f"is it {SECRET}?") == f"is it {SECRET}?"
    assert masking.masked(SECRET) == HIDDEN


def test_the_platforms_secret_is_hidden_from_every_tenant() -> None:
    masking.know([SECRET], "public")
    for tenant in (ACME, GLOBEX):
        with tenant_scope(tenant):
            assert masking.masked(SECRET) == HIDDEN


def test_what_is_no_text_or_no_secret_is_left_out() -> None:
    with tenant_scope(ACME):
        masking.know([None, 7, "", "  fail  "])
        assert masking.masked("it will fail 7 times") == "it will fail 7 times"


def test_typing_pushes_out_what_was_typed_before_and_never_what_is_stored() -> None:
    with tenant_scope(ACME):
        masking.know([SECRET])
        masking.know(["the-first-typed"], typed=True)
        masking.know([f"typed-later-{n}" for n in range(masking.MOST_TYPED)], typed=True)
        assert masking.masked(f"{SECRET} the-first-typed typed-later-0") == f"{HIDDEN} the-first-typed {HIDDEN}"
        masking.know([f"stored-later-{n}" for n in range(masking.MOST_OF_ONE)])
        assert masking.masked(SECRET) == SECRET


def test_tenants_that_are_at_work_are_remembered_before_others() -> None:
    masking.know([SECRET], ACME.schema)
    masking.know(["panther-9"], GLOBEX.schema)
    for number in range(masking.MOST_TENANTS - 1):
        masking.used(ACME.schema)
        masking.know(["somebody-elses"], f"t_{number}")
    with tenant_scope(ACME):
        assert masking.masked(SECRET) == HIDDEN
    with tenant_scope(GLOBEX):
        assert masking.masked("panther-9") == "panther-9"


def test_a_record_hides_it_in_message_arguments_trace_and_stack(caplog: pytest.LogCaptureFixture) -> None:
    masking.know([SECRET], ACME.schema)
    log = logging.getLogger("tests.masking")
    try:
        raise ValueError(SECRET)
    except ValueError:
        log.exception("with %s", {"key": SECRET}, stack_info=True)
    assert SECRET not in caplog.text
    assert SECRET not in repr(caplog.records[0].__dict__)
    assert f"ValueError: {HIDDEN}" in caplog.text


def test_a_record_without_secrets_keeps_its_arguments_and_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    masking.know([SECRET], ACME.schema)
    try:
        raise ValueError("plain")
    except ValueError:
        logging.getLogger("tests.masking").exception("with %s", "nothing")
    (record,) = caplog.records
    assert (record.msg, record.args) == ("with %s", ("nothing",))
    assert record.exc_info is not None


def test_installing_twice_is_once() -> None:
    before = logging.getLogRecordFactory()
    masking.install()
    assert logging.getLogRecordFactory() is before
