"""A tenant that is not active answers with the page of its state, and with nothing of its own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from plugin_framework import tenancy_directory
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import public_scope, tenant_or_none
from tenants import operations
from tenants.models import State, Tenant
from tests.conftest import Tenants


def put(slug: str, state: State) -> None:
    with public_scope():
        purge_at = timezone.now() + timedelta(days=1) if state == State.DELETING else None
        Tenant.objects.filter(slug=slug).update(state=state, purge_at=purge_at)


@pytest.mark.parametrize(
    ("state", "status", "words"),
    [(State.PROVISIONING, 503, "is being set up"), (State.SUSPENDED, 503, "is suspended"), (State.DELETING, 410, "has been deleted")],
)  # fmt: skip
def test_each_state_but_active_has_its_page_on_every_path(
    tenants: Tenants, state: State, status: int, words: str
) -> None:
    put("acme", state)
    for path in ("/", "/register/", "/settings/plugins/", "/apps/canary/", "/accounts/login/"):
        response = Client().get(path, headers={"host": tenants.acme.host})
        assert (response.status_code, words in response.text) == (status, True)
        assert tenant_or_none() is None
    assert Client().get("/accounts/login/", headers={"host": tenants.globex.host}).status_code == 200


@pytest.mark.parametrize("state", [State.PROVISIONING, State.SUSPENDED, State.DELETING])
def test_no_browser_keeps_the_page_of_a_state_that_can_end(tenants: Tenants, state: State) -> None:
    put("acme", state)
    assert Client().get("/", headers={"host": tenants.acme.host})["Cache-Control"] == "no-store"


def test_the_page_of_one_that_is_being_set_up_looks_again_by_itself(tenants: Tenants) -> None:
    put("acme", State.PROVISIONING)
    response = Client().get("/", headers={"host": tenants.acme.host})
    assert (response["Refresh"], response["Retry-After"]) == ("2", "2")


@pytest.mark.parametrize("state", [State.PROVISIONING, State.DELETING])
def test_who_is_neither_active_nor_suspended_can_be_neither_suspended_nor_resumed(
    tenants: Tenants, state: State
) -> None:
    put("acme", state)
    for move in (lambda: operations.suspend("acme", "", SYSTEM), lambda: operations.resume("acme", SYSTEM)):
        with pytest.raises(operations.NotPossible):
            move()
    entry = tenancy_directory.find(tenants.acme.schema)
    assert entry is not None
    assert not entry.active


def test_only_one_that_is_being_deleted_can_have_a_time_at_which_its_data_goes(tenants: Tenants) -> None:
    with public_scope(), pytest.raises(IntegrityError, match="only_the_deleted_are_purged"), transaction.atomic():
        Tenant.objects.filter(slug=tenants.acme.slug).update(purge_at=timezone.now())
    with public_scope(), pytest.raises(IntegrityError, match="only_the_deleted_are_purged"), transaction.atomic():
        Tenant.objects.filter(slug=tenants.acme.slug).update(state=State.DELETING)


def test_whoever_asks_for_everyone_is_not_told_of_those_without_a_schema(tenants: Tenants) -> None:
    put("acme", State.PROVISIONING)
    assert tenants.acme.slug not in {entry.ref.slug for entry in tenancy_directory.everyone()}
    put("acme", State.DELETING)
    assert tenants.acme.slug in {entry.ref.slug for entry in tenancy_directory.everyone()}
