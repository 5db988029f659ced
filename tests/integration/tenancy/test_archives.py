"""One tenant in one file: exported, and restored under a new schema with all it had."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client

from plugin_framework import activation, files, settings_store
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog import plans
from plugin_framework.catalog.models import CatalogGrant
from plugin_framework.delivery.models import Lane, Schedule
from plugin_framework.models import AuditEntry, Delivery, PluginSetting
from plugin_framework.sdk import unseal
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from plugin_framework.tenancy_directory import platform
from plugins.webhooks_plugin.models import Endpoint
from saas.testing.people import PASSWORD, confirmed, person
from saas.testing.waiting import wait_until
from tenants import archive, deletion, directory, operations, purging
from tenants.accounts import people
from tenants.archive import restoring
from tenants.models import Tenant
from tests.conftest import Tenants
from tests.support.archives import manifest, normalised, nothing_changes
from tests.support.canaries import dump
from tests.support.deliveries import a_delivery
from tests.support.lived_in import LivedIn, move_in, traces
from tests.support.queue import work_off

CYCLES = int(os.environ.get("CYCLES", "2"))


@pytest.fixture
def lived(committed_db: str, tenants: Tenants) -> LivedIn:
    return move_in(tenants.acme)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "acme.zip"


def remove(slug: str = "acme") -> None:
    deletion.delete(slug, SYSTEM, confirmation=slug)
    purging.purge(slug, SYSTEM, confirmation=slug, at_once=True)


def of(schema: str) -> dict[str, str]:
    return {table: rows for table, rows in dump() if table.startswith(f"{schema}.")}


def secrets_of(ref: TenantRef) -> tuple[object, str]:
    with tenant_scope(ref):
        stored = PluginSetting.objects.get(plugin_name="slack_notifications", key="webhook_url").value
        opened = settings_store.opened(stored, tenant=ref.schema, plugin="slack_notifications", path=("webhook_url",))
        return str(opened), unseal("webhooks", "signing", Endpoint.objects.get().secret)


def test_a_tenant_goes_and_comes_back_again_and_again_and_its_neighbour_notices_nothing(
    lived: LivedIn, tenants: Tenants, tmp_path: Path, counted: Callable[[str, int], None]
) -> None:
    move_in(tenants.globex)
    neighbour, secrets = of(tenants.globex.schema), secrets_of(lived.ref)
    archive.export("acme", tmp_path / "0.zip", SYSTEM)
    first = normalised(tmp_path / "0.zip")
    assert "SEALED" in str(first["data/webhooks_plugin_endpoint.copy"])
    assert lived.canary in str(first["data/orders_plugin_order.copy"])
    here = lived
    for number in range(1, CYCLES + 1):
        remove()
        assert traces(here) == []
        restored = archive.restore(tmp_path / f"{number - 1}.zip", SYSTEM).ref
        assert restored.schema != here.ref.schema
        here = LivedIn(restored, lived.canary)
        assert secrets_of(restored) == secrets
        archive.export("acme", tmp_path / f"{number}.zip", SYSTEM)
        assert normalised(tmp_path / f"{number}.zip") == first
        assert of(tenants.globex.schema) == neighbour
        counted("cycles", 1)
    remove()
    assert traces(here) == []


def test_what_is_restored_works_its_people_sign_in_and_what_was_due_is_delivered(lived: LivedIn, file: Path) -> None:
    with tenant_scope(lived.ref):
        waiting = set(Delivery.objects.filter(state="due").values_list("idempotency_key", flat=True))
    assert waiting
    archive.export("acme", file, SYSTEM)
    remove()
    found = archive.restore(file, SYSTEM)
    assert (found.unreadable, found.hosts_lost, found.state, found.files) == ((), (), "active", 1)
    client = Client(headers={"host": found.ref.host})
    answer = client.post("/accounts/login/", {"login": lived.owner, "password": PASSWORD})
    assert answer.status_code == 302
    assert lived.canary in client.get("/apps/orders/").text + client.get("/apps/orders/1/").text
    with tenant_scope(found.ref):
        running = {
            name
            for name in ("orders", "invoices", "slack_notifications", "webhooks")
            if activation.current().decision(name).runs
        }
        assert len(running) == 4
        assert [path.read_bytes() for _, path in files.walk(found.ref.schema)] == [lived.canary.encode()]
    work_off()
    with tenant_scope(found.ref):
        tried = Delivery.objects.filter(idempotency_key__in=waiting, attempts__gte=1).count()
        assert tried == len(waiting)
    with public_scope():
        assert Lane.objects.get(tenant_schema=found.ref.schema, plugin="announcements").paused_by == "Tenantry"
        assert CatalogGrant.objects.filter(tenant_schema=found.ref.schema, plugin="orders").exists()
        assert Schedule.objects.filter(tenant_schema=found.ref.schema).exists()


def test_what_fails_once_the_commit_is_made_takes_no_files_away(
    lived: LivedIn, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise ConnectionError("the answer to the commit did not come")

    # As when the connection breaks there: the transaction is committed, and whoever made it is told that it failed.
    written = restoring._write_files
    monkeypatch.setattr(restoring, "_write_files", lambda *args: (written(*args), transaction.on_commit(fails)))
    archive.export("acme", file, SYSTEM)
    remove()
    with pytest.raises(ConnectionError):
        archive.restore(file, SYSTEM)
    found = directory.by_slug("acme")
    assert found is not None
    assert [path.read_bytes() for _, path in files.walk(found.ref.schema)] == [lived.canary.encode()]


def test_a_sealed_secret_of_the_copy_does_not_open_in_the_original_nor_the_other_way_round(
    lived: LivedIn, file: Path
) -> None:
    archive.export("acme", file, SYSTEM)
    copy = archive.restore(file, SYSTEM, slug="acme-copy").ref
    assert secrets_of(copy) == secrets_of(lived.ref)
    tokens = {}
    for ref in (copy, lived.ref):
        with tenant_scope(ref):
            tokens[ref.slug] = Endpoint.objects.get().secret
    assert len(set(tokens.values())) == 2
    with tenant_scope(lived.ref), pytest.raises(Exception, match="secret"):
        unseal("webhooks", "signing", tokens["acme-copy"])


def test_new_rows_get_numbers_that_were_never_given_before(lived: LivedIn, file: Path) -> None:
    with tenant_scope(lived.ref):
        last = Delivery.objects.latest("pk")
        number = last.pk
        last.delete()
    archive.export("acme", file, SYSTEM)
    copy = archive.restore(file, SYSTEM, slug="acme-copy").ref
    with tenant_scope(copy), connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('plugin_framework_delivery', 'id'))")
        assert cursor.fetchone()[0] > number


def test_its_plan_comes_along_and_one_that_is_gone_is_asked_for(lived: LivedIn, file: Path) -> None:
    plans.define("basic", "Basic", ["orders", "invoices", "webhooks", "slack_notifications", "announcements"])
    operations.change_plan("acme", "basic", SYSTEM)
    archive.export("acme", file, SYSTEM)
    assert plans.slug_of(archive.restore(file, SYSTEM, slug="acme-copy").ref.schema) == "basic"
    remove("acme-copy")
    remove("acme")
    plans.remove("basic")
    with pytest.raises(archive.CannotRestore, match="plan 'basic' does not exist"):
        archive.restore(file, SYSTEM)
    assert directory.by_slug("acme") is None


def test_a_suspended_one_comes_back_suspended_and_a_deleted_one_as_it_was_before(
    lived: LivedIn, file: Path, tmp_path: Path
) -> None:
    operations.suspend("acme", "Unpaid.", SYSTEM)
    deletion.delete("acme", SYSTEM, confirmation="acme")
    archive.export("acme", file, SYSTEM)
    assert archive.restore(file, SYSTEM, slug="acme-copy").state == "suspended"
    with public_scope():
        assert Tenant.objects.get(slug="acme-copy").state_message == "Unpaid."


def test_an_address_that_somebody_has_is_not_taken_from_them(lived: LivedIn, file: Path) -> None:
    archive.export("acme", file, SYSTEM)
    for slug, sentence in (("", "is taken"), ("globex", "is taken"), ("admin", "reserved"), ("No Good", "letters")):
        with nothing_changes(), pytest.raises(archive.CannotRestore, match=sentence):
            archive.restore(file, SYSTEM, slug=slug)


def test_the_platform_and_one_that_is_being_set_up_are_not_exported(lived: LivedIn, file: Path) -> None:
    with pytest.raises(operations.NotPossible, match="whole installation"):
        archive.export("admin", file, SYSTEM)
    with pytest.raises(operations.NoSuchTenant):
        archive.export("nobody", file, SYSTEM)
    with public_scope():
        Tenant.objects.filter(slug="acme").update(state="provisioning")
    with pytest.raises(operations.NotPossible, match="being set up"):
        archive.export("acme", file, SYSTEM)
    assert list(file.parent.iterdir()) == [] or not file.exists()


def test_an_archive_is_its_owners_alone_holds_no_session_and_no_secret_in_the_clear_and_overwrites_nothing(
    lived: LivedIn, file: Path
) -> None:
    archive.export("acme", file, SYSTEM)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.glob("*acme*")] == ["acme.zip"]
    tables = {table["name"] for table in manifest(file)["tables"]}
    assert "accounts_user" in tables
    assert not tables & {"django_session", "django_migrations"}
    assert not any(lived.secret in str(part) for part in normalised(file).values())
    with pytest.raises(FileExistsError):
        archive.export("acme", file, SYSTEM)


def test_an_export_shows_one_moment_while_people_go_on_working(lived: LivedIn, tmp_path: Path) -> None:
    stop, pairs = Event(), []

    def work() -> None:
        try:
            with tenant_scope(lived.ref):
                while not stop.is_set():
                    with transaction.atomic():  # in the first table that is exported and in one of the last
                        people.invite(f"somebody{len(pairs)}@people.example", "member", SYSTEM)
                        Delivery.objects.bulk_create([a_delivery("done", plugin="pairs")])
                    pairs.append(1)
        finally:
            connection.close()

    worker = Thread(target=work)
    worker.start()
    try:
        for number in range(3):
            before = len(pairs)
            wait_until(lambda before=before: len(pairs) > before, what="the next pair")
            archive.export("acme", tmp_path / f"{number}.zip", SYSTEM)
            parts = normalised(tmp_path / f"{number}.zip")
            first, last = parts["data/accounts_invitation.copy"], parts["data/plugin_framework_delivery.copy"]
            assert isinstance(first, list)
            assert isinstance(last, list)
            assert len(first) == sum("\tpairs\t" in line for line in last) > 0
    finally:
        stop.set()
        worker.join()


def test_an_export_that_meets_a_table_on_its_way_out_goes_without_it(lived: LivedIn, file: Path) -> None:
    failed: list[Exception] = []

    def run() -> None:
        try:
            archive.export("acme", file, SYSTEM)
        except Exception as error:  # told in the test's own thread
            failed.append(error)
        finally:
            connection.close()

    def waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'relation')")
            return bool(cursor.fetchone()[0])

    exporting = Thread(target=run)
    with tenant_scope(lived.ref), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE soon_gone (id int PRIMARY KEY)")
        with transaction.atomic():
            cursor.execute("DROP TABLE soon_gone")
            exporting.start()
            wait_until(waits)
    exporting.join()
    assert failed == []
    assert "soon_gone" not in {table["name"] for table in manifest(file)["tables"]}


def test_one_whose_schema_is_lost_is_refused_in_words(lived: LivedIn, file: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{lived.ref.schema}" CASCADE')
    with pytest.raises(operations.NotPossible, match="Its schema is not there"):
        archive.export("acme", file, SYSTEM)
    assert not file.exists()


def test_the_console_hands_it_out_and_the_export_is_audited(
    lived: LivedIn, client_for: Callable[..., Client], file: Path
) -> None:
    own = platform()
    assert own is not None
    staff = confirmed(client_for(own.ref, person(own.ref, "admin")))
    answer = staff.post("/tenants/acme/export/")
    assert answer["Content-Disposition"].startswith('attachment; filename="acme-20')
    file.write_bytes(b"".join(answer.streaming_content))  # type: ignore[attr-defined]  # a streamed answer's
    assert archive.restore(file, SYSTEM, slug="acme-copy").rows > 20
    for ref in (own.ref, lived.ref):
        with tenant_scope(ref):
            assert "platform staff" in AuditEntry.objects.get(action="tenant.exported").actor


def test_the_commands_say_what_they_did_and_what_they_cannot_do(lived: LivedIn, file: Path) -> None:
    call_command("tenants", "export", "acme", "--to", str(file))
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("tenants", "export", "acme", "--to", str(file))
    with pytest.raises(CommandError, match=r"is not restored\. The address acme\.localhost is taken"):
        call_command("tenants", "restore", str(file))
    with pytest.raises(CommandError, match="There is no such file"):
        call_command("tenants", "restore", str(file) + "x")
    call_command("tenants", "restore", str(file), "--slug", "acme-copy")
    assert directory.by_slug("acme-copy") is not None
