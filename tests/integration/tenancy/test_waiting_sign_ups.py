"""A sign-up that finds no spare schema: put down, made by the worker's code, tried again, given up, looked at by the superadmin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from plugin_framework.audit import Actor
from plugin_framework.db.schemas import create_schema
from plugin_framework.models import AuditEntry
from plugin_framework.sdk import RetryLater
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.signup.service import SignedUp, sign_up
from saas.testing.people import PASSWORD, person
from tenants import directory, operations, owed, spares, tending, waiting
from tenants.accounts.models import User
from tenants.models import Blueprint, SignUp, Spare, State, Tenant
from tests.conftest import Tenants
from tests.support.orphans import orphans

STAFF = Actor("root@tenantry.example")
pytestmark = pytest.mark.usefixtures("db", "tenants")


@pytest.fixture(autouse=True)
def an_empty_pool(settings: Settings) -> None:
    settings.SPARE_SCHEMAS = 2


def signed_up(slug: str = "initech") -> SignedUp:
    return sign_up(organisation=slug.title(), slug=slug, name="Bill", email=f"Bill@{slug}.example", password=PASSWORD)


def arrive(done: SignedUp) -> tuple[Client, int]:
    """What the browser gets that was sent to its new organisation."""
    client = Client(headers={"host": done.tenant.host})
    return client, client.get(f"/welcome/?token={done.token}").status_code


def state(slug: str = "initech") -> tuple[str, int, str, bool]:
    with public_scope():
        row = SignUp.objects.select_related("tenant").get(tenant__slug=slug)
        return row.tenant.state, row.tries, row.error, row.given_up_at is not None


def time_passes() -> None:
    with public_scope():
        SignUp.objects.update(next_try_at=Now())


def break_the_blueprint() -> str:
    """Let every making fail in the database; what it was, to mend it."""
    with public_scope():
        before = Blueprint.objects.get().statements
        Blueprint.objects.update(statements="SELECT 1 / 0", digest="broken")
        return before


def mend(statements: str) -> None:
    with public_scope():
        Blueprint.objects.update(statements=statements, digest="mended")


def give_up() -> None:
    while not state()[3]:
        time_passes()
        assert waiting.finish_next()


@pytest.fixture
def console(tenants: Tenants, client_for: Callable[..., Client]) -> Client:
    platform = directory.by_slug("admin")
    assert platform is not None
    return client_for(platform.ref, person(platform.ref, "owner", STAFF.label))


def test_the_visitor_sees_the_progress_and_lands_in_it_signed_in() -> None:
    done = signed_up()
    client, status = arrive(done)
    assert status == 503
    page = client.get("/welcome/", {"token": done.token})
    assert page["Refresh"] == "2"
    assert "Initech is being set up" in page.content.decode()
    assert orphans() == []
    tending.tend()
    answer = client.get("/welcome/", {"token": done.token}, follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert (answer.context["user"].email, answer.context["user"].role) == ("bill@initech.example", "owner")
    assert answer.context["user"].check_password(PASSWORD)
    assert orphans() == []


def test_those_who_wait_are_served_before_the_pool_is_filled() -> None:
    signed_up()
    assert waiting.count() == waiting.Unfinished(waiting=1, given_up=0)
    tending.tend()
    assert waiting.count() == waiting.Unfinished(waiting=0, given_up=0)
    assert spares.count().ready == 2
    with public_scope():
        oldest = Spare.objects.order_by("made_at").first()
    assert oldest is not None
    entry = directory.by_slug("initech")
    assert entry is not None
    with tenant_scope(entry.ref):
        assert list(AuditEntry.objects.order_by("pk").values_list("actor", "action")) == [
            ("bill@initech.example", "tenant.created"),
            ("bill@initech.example", "person.registered"),
        ]


def test_the_address_is_taken_from_the_first_moment() -> None:
    signed_up()
    answer = Client(headers={"host": "localhost"}).post(
        "/signup/",
        {"organisation": "X", "slug": "initech", "name": "X", "email": "x@x.example", "password": PASSWORD},
    )
    assert answer.status_code == 400
    assert "is taken" in answer.content.decode()


def test_the_password_is_kept_nowhere_and_its_hash_only_until_it_is_made() -> None:
    signed_up()
    with public_scope():
        row = SignUp.objects.values().get()
    assert PASSWORD not in repr(row)
    tending.tend()
    with public_scope():
        assert not SignUp.objects.exists()


def test_a_try_that_fails_is_made_again_later_and_leaves_nothing() -> None:
    done = signed_up()
    statements = break_the_blueprint()
    assert waiting.finish_next()
    made, tries, error, given_up = state()
    assert (made, tries, given_up) == (State.PROVISIONING, 1, False)
    assert "division by zero" in error
    assert not waiting.finish_next(), "its time has not come"
    assert orphans() == []
    mend(statements)
    time_passes()
    assert waiting.finish_next()
    assert arrive(done)[1] == 302
    assert orphans() == []


def test_one_that_fails_does_not_hold_up_the_others() -> None:
    first = signed_up("initech")
    signed_up("initrode")
    with public_scope():
        create_schema(first.tenant.schema)  # somebody was there by hand; a schema is never adopted
    with pytest.raises(RetryLater) as later:
        tending.tend()
    assert later.value.after is not None
    assert 0 <= later.value.after < owed.EVERY
    assert "already exists" in state("initech")[2]
    with public_scope():
        assert Tenant.objects.get(slug="initrode").state == State.ACTIVE


def test_after_five_tries_it_is_given_up_and_its_page_says_so() -> None:
    done = signed_up()
    break_the_blueprint()
    give_up()
    assert state()[1] == waiting.MOST_TRIES
    time_passes()
    assert not waiting.finish_next()
    assert waiting.count() == waiting.Unfinished(waiting=0, given_up=1)
    page = Client().get("/", headers={"host": done.tenant.host})
    assert page.status_code == 503
    assert "Refresh" not in page
    assert "Initech could not be set up" in page.content.decode()
    assert "division" not in page.content.decode()


def test_one_whose_processes_were_all_killed_is_given_up_too() -> None:
    signed_up()
    with public_scope():
        SignUp.objects.update(tries=waiting.MOST_TRIES)
    assert waiting.finish_next()
    assert state() == (State.PROVISIONING, waiting.MOST_TRIES + 1, waiting._INTERRUPTED.text, True)


def test_a_reason_that_quotes_the_owners_row_shows_no_hash(caplog: pytest.LogCaptureFixture) -> None:
    signed_up()
    with public_scope():
        statements = Blueprint.objects.get().statements
        refuse = f"{statements}ALTER TABLE accounts_user ADD CONSTRAINT refused CHECK (email = '');"
        Blueprint.objects.update(statements=refuse, digest="refusing")
        secret = SignUp.objects.get().password_hash
    assert waiting.finish_next()
    assert "refused" in state()[2]
    assert "Failing row contains" in state()[2]
    assert secret not in state()[2]
    assert secret not in caplog.text
    assert secret.rpartition("$")[2] not in state()[2]


def test_the_superadmin_reads_why_and_has_it_tried_again(console: Client) -> None:
    done = signed_up()
    statements = break_the_blueprint()
    assert "waits for a worker" in console.get("/tenants/initech/").content.decode()
    time_passes()
    waiting.finish_next()
    assert "Try 1 of 5 failed" in console.get("/tenants/initech/").content.decode()
    give_up()
    assert "Initech</a></strong> has signed up and could not be set up" in console.get("/").content.decode()
    page = console.get("/tenants/initech/").content.decode()
    assert "division by zero" in page
    assert "bill@initech.example" in page
    assert PASSWORD not in page
    mend(statements)
    assert console.post("/tenants/initech/setup/retry/").status_code == 302
    tending.tend()
    assert arrive(done)[1] == 302
    assert "could not be set up" not in console.get("/").content.decode()
    assert console.post("/tenants/initech/setup/retry/", follow=True).status_code == 200
    assert console.post("/tenants/initech/setup/remove/").status_code == 302
    with public_scope():
        assert Tenant.objects.get(slug="initech").state == State.ACTIVE, "what is made is not removed here"


def test_the_superadmin_removes_it_and_the_address_is_free(console: Client) -> None:
    done = signed_up()
    break_the_blueprint()
    give_up()
    assert console.post("/tenants/initech/setup/remove/", follow=True).status_code == 200
    assert arrive(done)[1] == 404
    assert directory.is_free("initech")
    assert orphans() == []
    platform = directory.by_slug("admin")
    assert platform is not None
    with tenant_scope(platform.ref):
        entry = AuditEntry.objects.get(action="tenant.removed")
    assert (entry.actor, entry.target) == (f"{STAFF.label} (platform staff)", "initech")


def test_nothing_else_can_be_done_to_it_meanwhile(console: Client) -> None:
    signed_up()
    for page in ("suspend", "resume", "plan"):
        answer = console.post(f"/tenants/initech/{page}/", {"message": "Not paid", "plan": ""}, follow=True)
        assert answer.status_code == 200
        assert "being set up" in answer.content.decode()
    with pytest.raises(operations.NotPossible, match="still being set up"):
        operations.change_plan("initech", "", STAFF)
    assert state()[0] == State.PROVISIONING


def test_a_member_of_another_organisation_cannot_remove_it(tenants: Tenants, client_for: Callable[..., Client]) -> None:
    signed_up()
    acme = client_for(tenants.acme, person(tenants.acme, "owner"))
    for page in ("retry", "remove"):
        assert acme.post(f"/tenants/initech/setup/{page}/").status_code == 404
    assert state()[0] == State.PROVISIONING


def test_nobody_is_retried_or_removed_who_is_not_being_set_up(tenants: Tenants) -> None:
    for call in (waiting.retry, waiting.remove):
        with pytest.raises(operations.NotPossible, match="not being set up any more"):
            call("acme", STAFF)
        with pytest.raises(operations.NoSuchTenant):
            call("nobody", STAFF)


def test_whoever_comes_after_an_hour_signs_in_with_the_password() -> None:
    done = signed_up()
    with public_scope():
        SignUp.objects.update(asked_at=timezone.now() - timedelta(hours=2))
    tending.tend()
    client, status = arrive(done)
    assert status == 302
    assert client.get("/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/")
    with tenant_scope(made("initech")):
        assert User.objects.get().check_password(PASSWORD)


def made(slug: str) -> TenantRef:
    entry = directory.by_slug(slug)
    assert entry is not None
    return entry.ref
