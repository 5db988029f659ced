"""Purging leaves nothing of a tenant, touches no neighbour, and its address rests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test import Client

from plugin_framework import files
from plugin_framework.audit import SYSTEM
from plugin_framework.delivery import folding, house
from plugin_framework.delivery.models import Lane, Schedule, Wake
from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import public_scope, tenant_scope
from plugin_framework.tenancy_directory import platform
from tenants import deletion, directory, operations, provisioning, purging
from tenants.models import RetiredHost, State, Tenant
from tenants.operations import NoSuchTenant, NotPossible
from tests.conftest import Tenants
from tests.support.canaries import dump
from tests.support.lived_in import LivedIn, move_in, traces
from tests.support.queue import work_off


@pytest.fixture
def lived(committed_db: str, tenants: Tenants) -> LivedIn:
    return move_in(tenants.acme)


def delete_and_let_its_time_pass(slug: str = "acme") -> None:
    deletion.delete(slug, SYSTEM, confirmation=slug)
    with public_scope():
        Tenant.objects.filter(slug=slug).update(purge_at=Now() - timedelta(seconds=1))


def of(schema: str) -> dict[str, str]:
    return {table: rows for table, rows in dump() if table.startswith(f"{schema}.")}


def test_one_that_has_got_the_slug_while_another_purge_was_on_its_way_stays(lived: LivedIn, tenants: Tenants) -> None:
    delete_and_let_its_time_pass()
    late = purging._begin("acme", SYSTEM, at_once=False)
    purging.purge("acme", SYSTEM, confirmation="acme")
    with public_scope():
        RetiredHost.objects.all().delete()
    fresh = provisioning.create_tenant("acme", "Acme anew", SYSTEM)
    with pytest.raises(NoSuchTenant, match="another organisation by now"):
        purging._remove(late, SYSTEM)
    assert directory.find(fresh.schema) is not None


def test_one_whose_schema_is_lost_can_be_suspended_deleted_and_purged(lived: LivedIn) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{lived.ref.schema}" CASCADE')
    operations.suspend("acme", "It is being looked at.", SYSTEM)
    deletion.delete("acme", SYSTEM, confirmation="acme")
    purging.purge("acme", SYSTEM, confirmation="acme", at_once=True)
    assert directory.find(lived.ref.schema) is None
    own = platform()
    assert own is not None
    with tenant_scope(own.ref):
        told = list(AuditEntry.objects.filter(target="acme").order_by("pk").values_list("action", flat=True))
    assert told[-4:] == ["tenant.suspended", "tenant.deleted", "tenant.purge_hastened", "tenant.purged"]


def test_nothing_is_left_of_it_and_its_neighbour_has_all_it_had(lived: LivedIn, tenants: Tenants) -> None:
    work_off()  # lanes, attempts, dead letters
    neighbour = move_in(tenants.globex)
    before, shared = (
        of(tenants.globex.schema),
        {model: rows_of(model, tenants.globex.schema) for model in purging.shared_models()},
    )
    assert traces(lived)
    delete_and_let_its_time_pass()
    purging.purge("acme", SYSTEM, confirmation="acme")
    assert traces(lived) == []
    assert of(tenants.globex.schema) == before
    assert {model: rows_of(model, tenants.globex.schema) for model in shared} == shared
    assert list(files.walk(tenants.globex.schema))
    assert traces(neighbour)
    assert directory.find(lived.ref.schema) is None
    assert Client().get("/", headers={"host": lived.ref.host}).status_code == 404
    with pytest.raises(NoSuchTenant):
        purging.purge("acme", SYSTEM, confirmation="acme")
    work_off()  # what a worker makes of a tenant that has just gone: nothing
    assert traces(lived) == []


def rows_of(model: type, schema: str) -> int:
    with public_scope():
        return int(model._base_manager.filter(tenant_schema=schema).count())  # type: ignore[attr-defined]  # any model


def test_each_table_that_tells_tenants_apart_does_so_in_one_column(lived: LivedIn) -> None:
    work_off()
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'tenant_schema'"
        )
        assert {name for (name,) in cursor.fetchall()} == {
            model._meta.db_table.rpartition(".")[2].strip('"') for model in purging.shared_models()
        }
    assert {Wake, Lane, Schedule} <= set(purging.shared_models())


def test_it_waits_until_its_time_is_over_unless_an_operator_says_otherwise(lived: LivedIn) -> None:
    with pytest.raises(NotPossible, match="is not deleted"):
        purging.purge("acme", SYSTEM, confirmation="acme", at_once=True)
    deletion.delete("acme", SYSTEM, confirmation="acme")
    with pytest.raises(NotPossible, match="can be brought back until"):
        purging.purge("acme", SYSTEM, confirmation="acme")
    with pytest.raises(NotPossible, match="short name, acme"):
        purging.purge("acme", SYSTEM, confirmation="globex", at_once=True)
    assert purging.purge_due() == 0
    assert list(files.walk(lived.ref.schema))
    deletion.undelete("acme", SYSTEM)
    assert Client().get("/accounts/login/", headers={"host": lived.ref.host}).status_code == 200
    deletion.delete("acme", SYSTEM, confirmation="acme")
    purging.purge("acme", SYSTEM, confirmation="acme", at_once=True)
    assert traces(lived) == []
    own = platform()
    assert own is not None
    with tenant_scope(own.ref):
        assert (
            AuditEntry.objects.filter(action__in=["tenant.purged", "tenant.purge_hastened"], target="acme").count() == 2
        )


def test_the_platforms_job_purges_those_whose_time_is_over_and_no_more_than_its_measure(
    committed_db: str, tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = platform()
    assert own is not None
    assert purging.HOURLY in house.jobs(own.ref)
    assert purging.HOURLY not in house.jobs(tenants.acme)
    delete_and_let_its_time_pass("acme")
    delete_and_let_its_time_pass("globex")
    monkeypatch.setattr(purging, "MOST_A_RUN", 1)
    with tenant_scope(own.ref), transaction.atomic():
        house.owe(purging.HOURLY)
    work_off()
    with public_scope():
        assert list(Tenant.objects.filter(state=State.DELETING).values_list("slug", flat=True)) == ["globex"]
    assert purging.purge_due() == 1


def test_while_a_worker_holds_one_of_its_lanes_nothing_of_it_goes(lived: LivedIn) -> None:
    with public_scope(), transaction.atomic():
        folding.fold()
    delete_and_let_its_time_pass()
    with public_scope():
        Lane.objects.filter(tenant_schema=lived.ref.schema).update(leased_until=Now() + timedelta(seconds=60))
    with pytest.raises(NotPossible, match="at work"):
        purging.purge("acme", SYSTEM, confirmation="acme")
    assert purging.purge_due() == 0
    with public_scope():
        Lane.objects.filter(tenant_schema=lived.ref.schema).update(leased_until=None)
    assert purging.purge_due() == 1
    assert traces(lived) == []


def test_nobody_else_gets_its_address_for_a_while_and_is_told_so(lived: LivedIn) -> None:
    delete_and_let_its_time_pass()
    purging.purge("acme", SYSTEM, confirmation="acme")
    assert not directory.is_free("acme")
    with pytest.raises(
        provisioning.SlugTaken, match=r"another organisation’s until recently. It is free again after \d+ \w+ 20\d\d"
    ):
        provisioning.create_tenant("acme", "Evil Acme", SYSTEM)
    assert directory.by_slug("acme") is None
    answer = Client(headers={"host": "localhost"}).post("/signup/", {"organisation": "Acme", "slug": "acme"})
    assert "until recently" in answer.text
    with public_scope():
        RetiredHost.objects.update(free_at=Now() - timedelta(seconds=1))
    assert directory.is_free("acme")
    assert provisioning.create_tenant("acme", "New Acme", SYSTEM).schema != lived.ref.schema


def test_files_of_a_schema_that_nobody_has_are_swept_and_those_of_a_tenant_and_a_restore_are_not(
    lived: LivedIn,
) -> None:
    nobodys = "t_" + "0" * 20
    for folder in (nobodys, f".leaving-{nobodys}-0123456789abcdef", "t_mine", "lost+found"):
        (files.folder(lived.ref.schema).parent / folder / "sub").mkdir(parents=True)
    with transaction.atomic():
        purging.restoring(nobodys)
        assert in_another_session(purging.sweep_files) == []
    assert purging.sweep_files() == [nobodys]
    left = {path.name for path in files.folder(lived.ref.schema).parent.iterdir()}
    assert left == {lived.ref.schema, "t_mine", "lost+found"}


def in_another_session[T](call: Callable[[], T]) -> T:
    from concurrent.futures import ThreadPoolExecutor

    def run() -> T:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def test_the_command_wants_the_address_twice(lived: LivedIn) -> None:
    delete_and_let_its_time_pass()
    with pytest.raises(CommandError, match="short name, acme"):
        call_command("tenants", "purge", "acme")
    call_command("tenants", "purge", "acme", "--yes-delete", "acme")
    assert traces(lived) == []
