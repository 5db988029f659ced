"""Plugins that are on by default: in the spare schemas already, and enabled in whatever organisation gets one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from plugin_framework import activation, lifecycle
from plugin_framework.audit import SYSTEM, Actor
from plugin_framework.catalog.models import Availability, CatalogEntry
from plugin_framework.delivery import schedule
from plugin_framework.models import AuditEntry, Delivery, PluginState
from plugin_framework.registry import registry
from plugin_framework.sdk import PluginInterface, hook
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from plugin_framework.tenancy_directory import platform
from saas.console import actions
from saas.signup.service import sign_up
from saas.testing.people import person
from tenants import blueprint, fleet, spares
from tenants.behind import behind
from tenants.fleet import Options
from tenants.models import Blueprint, Spare
from tenants.provisioning import create_tenant
from tests.conftest import Tenants
from tests.dummies import pages
from tests.integration.tenancy.test_spares import FEW, fill, wanted
from tests.support.orphans import orphans
from tests.support.refused_tables import refuse_tables

pytestmark = pytest.mark.usefixtures("committed_db", "tenants")
STAFF = Actor("staff")
MORE = 6  # statements of a sign-up, however many plugins a new organisation begins with; what these do themselves comes on top


class Greeter(PluginInterface):
    """Does something when it is enabled, and hears of new organisations."""

    name, version, title = "greeter", "1.0.0", "Greeter"

    def initialize(self, config: dict[str, object]) -> None:
        pass

    def cleanup(self) -> None:
        pass

    def on_enable(self) -> None:
        AuditEntry.objects.create(actor="greeter", action="greeted", target=self.tenant.slug)

    @hook("tenant_provisioned")
    def greet(self, slug: str) -> None:
        pass


class Clerk(PluginInterface):
    """Needs orders."""

    name, version, title, dependencies = "clerk", "1.0.0", "Clerk", ("orders",)

    def initialize(self, config: dict[str, object]) -> None:
        pass

    def cleanup(self) -> None:
        pass


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    with pages.installed(Greeter, Clerk, pages.Refusing, pages.Clumsy):
        yield


@pytest.fixture
def pool(settings: Settings, tenants: Tenants) -> None:
    """A pool that is kept by the worker, whose part `fill` is here."""
    settings.SPARE_SCHEMAS = 2
    fill()


def begin_with(*names: str) -> None:
    for name in names:
        assert actions.set_standing(name, STAFF, on_by_default=True, required=False)


def enabled(tenant: TenantRef) -> set[str]:
    with tenant_scope(tenant):
        return set(PluginState.objects.filter(enabled=True).values_list("plugin", flat=True))


def tables(schema: str) -> set[str]:
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        return {name for (name,) in cursor.fetchall()}


def test_the_spares_hold_their_tables_and_a_sign_up_makes_none(pool: None) -> None:
    begin_with("orders", "announcements")
    assert spares.count().ready == 0
    fill()
    with public_scope():
        schemas = list(Spare.objects.values_list("schema_name", flat=True))
    assert all(set(lifecycle.tables_of(registry.specs["orders"])) <= tables(schema) for schema in schemas)
    with CaptureQueriesContext(connection) as asked:
        tenant = sign_up(**wanted("initech")).tenant
    assert tenant.schema in schemas
    assert not [each["sql"] for each in asked if each["sql"].lstrip().startswith(("CREATE", "ALTER", "DROP"))]
    assert enabled(tenant) == {"orders", "announcements"}
    assert behind([tenant.schema]) == {}
    assert orphans() == []


def test_a_sign_up_grows_by_a_constant_however_many_there_are(pool: None, settings: Settings) -> None:
    settings.SPARE_SCHEMAS = 4  # more than are taken: asking the worker for others costs some statements
    counts = []
    for names in (["orders"], ["announcements", "usage_analytics", "clumsy"]):
        begin_with(*names)
        fill()
        sign_up(**wanted(f"warm{len(counts)}"))  # the catalog is read once for each change
        with CaptureQueriesContext(connection) as asked:
            sign_up(**wanted(f"firm{len(counts)}"))
        counts.append(len(asked))
    assert counts[0] == counts[1] <= FEW + MORE, counts


def test_the_owner_lands_in_an_organisation_in_which_they_run(pool: None) -> None:
    begin_with("orders")
    fill()
    answer = Client(headers={"host": "localhost"}).post("/signup/", wanted("initech"))
    owner = Client(headers={"host": "initech.localhost"})
    page = owner.get(answer["Location"], follow=True, headers={"host": "initech.localhost"})
    assert page.status_code == 200
    assert owner.get("/apps/orders/").status_code == 200
    assert "/apps/orders/" in page.content.decode()


def test_it_is_in_the_audit_log_and_the_plugins_jobs_are_in_the_schedule(pool: None) -> None:
    begin_with("usage_analytics")
    fill()
    tenant = sign_up(**wanted("initech")).tenant
    with tenant_scope(tenant):
        assert list(AuditEntry.objects.order_by("pk").values_list("action", "target", "actor")[:2]) == [
            ("tenant.created", "initech", "b@initech.example"),
            ("plugin.enabled", "usage_analytics", "Tenantry"),
        ]
        assert PluginState.objects.get().enabled_at is not None
        assert bool(schedule.upcoming("usage_analytics")) == bool(registry.specs["usage_analytics"].jobs)


def test_a_plugin_does_what_it_does_once_for_each_organisation_and_hears_of_it(pool: None) -> None:
    begin_with("greeter")
    fill()
    tenant = sign_up(**wanted("initech")).tenant
    with tenant_scope(tenant):
        assert AuditEntry.objects.get(action="greeted").target == "initech"
        assert Delivery.objects.filter(plugin="greeter", hook="tenant_provisioned").count() == 1


@pytest.mark.parametrize("error", [RuntimeError, SystemExit])
def test_one_that_fails_at_its_preparations_keeps_nobody_from_signing_up(
    pool: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    monkeypatch.setattr(pages.Refusing, "error", error)
    begin_with("refusing", "greeter")
    fill()
    tenant = sign_up(**wanted("initech")).tenant
    assert enabled(tenant) == {"greeter"}
    assert "on_enable() of refusing failed" in caplog.text
    with tenant_scope(tenant):
        assert error.__name__ in AuditEntry.objects.get(action="plugin.disabled", target="refusing").detail["reason"]
        assert lifecycle.status("refusing").decision.may_enable


def test_without_a_spare_it_begins_with_the_same(tenants: Tenants) -> None:
    begin_with("orders")
    tenant = create_tenant("initech", "Initech", STAFF, from_pool=False)
    assert enabled(tenant) == {"orders"}
    with tenant_scope(tenant):
        assert activation.current().decision("orders").runs


def test_organisations_that_are_there_are_not_touched(tenants: Tenants) -> None:
    begin_with("clumsy")
    assert (enabled(tenants.acme), enabled(tenants.globex)) == (set(), set())


def test_one_that_is_withdrawn_is_in_no_new_organisation(pool: None) -> None:
    begin_with("orders")
    fill()
    actions.offer("orders", Availability.WITHDRAWN, STAFF, message="A fault.")
    assert spares.count().ready == 0
    fill()
    assert enabled(sign_up(**wanted("initech")).tenant) == set()


def test_a_sign_up_that_was_rolled_back_leaves_nothing_of_itself_to_the_next_one(pool: None) -> None:
    """It gets the same schema, and this process may remember what it has seen of it."""
    begin_with("greeter")
    fill()
    with public_scope():
        Spare.objects.exclude(pk=Spare.objects.first().pk).delete()  # type: ignore[union-attr]  # there are two
    with transaction.atomic():
        first = sign_up(**wanted("initech")).tenant
        with tenant_scope(first):
            assert activation.current().plugins["greeter"].tenant.slug == "initech"
        transaction.set_rollback(True)
    second = sign_up(**wanted("umbrella")).tenant
    assert second.schema == first.schema
    with tenant_scope(second):
        assert activation.current().plugins["greeter"].tenant.slug == "umbrella"


def test_one_whose_migration_fails_in_a_new_release_keeps_nobody_from_the_update_and_nobody_from_signing_up(
    tenants: Tenants, caplog: pytest.LogCaptureFixture
) -> None:
    begin_with("greeter", "clerk")
    refuse_tables("orders")
    with public_scope():
        Blueprint.objects.update(code="of another release")
    assert [outcome.error for outcome in fleet.migrate_everything(Options(finish=True))] == [""]
    assert "New organisations begin without orders: orders_plugin.0001_initial failed" in caplog.text
    assert "New organisations begin without clerk: what it needs could not be prepared" in caplog.text
    assert enabled(create_tenant("initech", "Initech", STAFF, from_pool=False)) == {"greeter"}
    assert actions.offer("orders", Availability.WITHDRAWN, STAFF, message="A fault.")
    assert actions.set_standing("greeter", STAFF, on_by_default=False, required=False)


def test_one_whose_migration_fails_is_not_begun_with_and_why_is_said(staff_page: Client) -> None:
    refuse_tables("orders")
    said = "New organisations cannot begin with Clerk: the migration orders_plugin.0001_initial failed"
    with pytest.raises(actions.Refused, match=said):
        actions.set_standing("clerk", STAFF, on_by_default=True, required=False)
    page = staff_page.post("/catalog/clerk/standing/", {"on_by_default": "on"})
    assert (page.status_code, said in page.text) == (409, True)
    with public_scope():
        assert not CatalogEntry.objects.filter(on_by_default=True).exists()


@pytest.fixture
def staff_page(tenants: Tenants, client_for: Callable[..., Client]) -> Client:
    """The platform's admin."""
    entry = platform()
    assert entry is not None
    return client_for(entry.ref, person(entry.ref, "admin", "root@platform.example"))


def test_while_the_platform_is_updated_it_is_not_decided_and_a_kill_switch_is(pool: None) -> None:
    begin_with("orders")
    with public_scope():
        Blueprint.objects.update(code="of another release")
    with pytest.raises(actions.Refused, match="is being updated"):
        actions.set_standing("clumsy", STAFF, on_by_default=True, required=False)
    assert actions.set_standing("clumsy", STAFF, on_by_default=False, required=True), "that concerns no new schema"
    assert actions.offer("orders", Availability.WITHDRAWN, STAFF, message="A fault.")
    tenant = create_tenant("initech", "Initech", STAFF)
    with tenant_scope(tenant):
        assert activation.current().decision("orders").reason.value == "withdrawn"
    assert blueprint.refresh()
    assert enabled(create_tenant("umbrella", "Umbrella", STAFF, from_pool=False)) == set()


def test_a_decision_that_is_rolled_back_keeps_the_spares(pool: None) -> None:
    with transaction.atomic():
        begin_with("orders")
        transaction.set_rollback(True)
    assert spares.count().ready == 2
    assert enabled(sign_up(**wanted("initech")).tenant) == set()


def test_disabled_again_it_stays_so(pool: None) -> None:
    begin_with("orders")
    fill()
    tenant = sign_up(**wanted("initech")).tenant
    with tenant_scope(tenant):
        assert lifecycle.disable("orders", SYSTEM) == ["orders"]
        assert not lifecycle.status("orders").enabled
