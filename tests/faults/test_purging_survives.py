"""Deleting and purging, killed at every step: what is not finished is as it was, or is finished the next time."""

from __future__ import annotations

import signal

import pytest
from django.db.models.functions import Now

from plugin_framework.tenancy import public_scope
from tenants import deletion, purging
from tenants.models import State, Tenant
from tests.faults.world import World
from tests.support.lived_in import LivedIn, move_in, traces
from tests.support.orphans import orphans


def killed_at(world: World, place: str, *arguments: str) -> None:
    """Run a command that is killed at `place`."""
    started = world.run("manage.py", "tenants", *arguments, TENANTRY_FAILPOINTS=f"{place}:kill")
    assert started.process.wait(timeout=120) == -signal.SIGKILL, started.text
    assert f"failpoint {place}\n" in started.text


def state() -> str:
    with public_scope():
        return str(Tenant.objects.values_list("state", flat=True).get(slug="acme"))


def test_a_deletion_that_is_killed_is_made_or_not_and_so_is_its_undoing(world: World) -> None:
    killed_at(world, "tenant_deleting", "delete", "acme")
    assert state() == State.ACTIVE
    killed_at(world, "tenant_deleted", "delete", "acme")
    assert state() == State.DELETING
    killed_at(world, "tenant_undeleting", "undelete", "acme")
    assert state() == State.DELETING


PLACES = ("purge_begun", "purge_files_gone", "purge_schema_gone", "purge_rows_gone", "purge_done")


@pytest.fixture
def lived(world: World) -> LivedIn:
    return move_in(world.acme)


def test_a_purge_that_is_killed_at_every_step_is_finished_by_the_next(world: World, lived: LivedIn) -> None:
    deletion.delete("acme", deletion_actor(), confirmation="acme")
    with public_scope():
        Tenant.objects.filter(slug="acme").update(purge_at=Now())
    for place in PLACES[:-1]:
        killed_at(world, place, "purge", "acme", "--yes-delete", "acme")
        assert orphans() == []
        assert state() == State.DELETING  # and whatever is left of it, nobody is served and nobody brings it back
        with pytest.raises(deletion.NotPossible, match="is over"):
            deletion.undelete("acme", deletion_actor())
    killed_at(world, PLACES[-1], "purge", "acme", "--yes-delete", "acme")
    assert traces(lived) == []
    assert orphans() == []
    assert purging.purge_due() == 0


def test_what_a_killed_purge_has_left_is_finished_by_the_platforms_job(world: World, lived: LivedIn) -> None:
    deletion.delete("acme", deletion_actor(), confirmation="acme")
    killed_at(world, "purge_files_gone", "purge", "acme", "--yes-delete", "acme", "--at-once")
    assert purging.purge_due() == 1
    assert traces(lived) == []


def deletion_actor() -> deletion.Actor:
    return deletion.Actor("tests")
