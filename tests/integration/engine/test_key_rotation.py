"""Sealing with a new key while people work: nothing is lost, nothing is overwritten, and what was killed goes on."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import override_settings

from plugin_framework import activation, changing, configuration, layers, lifecycle, platform_settings, settings_store
from plugin_framework.audit import SYSTEM
from plugin_framework.key_rotation import rotate, status
from plugin_framework.models import AuditEntry, PluginSetting
from plugin_framework.registry import registry
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.testing.waiting import wait_until
from tenants import operations
from tenants.models import Tenant
from tests.conftest import Tenants
from tests.dummies.pages import Pager, installed

OLD = settings.SECRETS_KEYS[0]
NEW, NEWER = "new-key-" + "n" * 40, "newer-key-" + "m" * 40
SAVES, SAVERS = int(os.environ.get("SAVES", "25")), 3


@pytest.fixture
def two(committed_db: str, tenants: Tenants) -> Iterator[Tenants]:
    with installed(Pager):
        for tenant in (tenants.acme, tenants.globex):
            save(tenant, f"first of {tenant.slug}")
            with tenant_scope(tenant):
                lifecycle.enable("pager", SYSTEM)
        yield tenants
        activation.cache.clear()


def save(tenant: TenantRef, key: str) -> None:
    with tenant_scope(tenant):
        configuration.configure("pager", SYSTEM, {"gateway": "gate.example"}, secrets={("key",): key})


def key_of(tenant: TenantRef) -> Any:
    """The secret as a process without any memory of it would read it."""
    spec = registry.specs["pager"]
    with tenant_scope(tenant):
        checked = layers.effective(spec, settings_store.stored("pager"), layers.platform_of(spec))
        assert checked.errors == ()
        return checked.config["key"]


def said(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_every_secret_opens_with_the_new_key_alone_and_the_rest_is_as_it_was(two: Tenants) -> None:
    with transaction.atomic():
        spec, secret = registry.specs["pager"], {("key",): "the platform's"}
        platform_settings.save(spec, {"gateway": "gate.platform"}, secrets=secret, removed=(), locked=())
    with tenant_scope(two.acme):
        assert (
            layers.platform_of(spec).values["key"] == "the platform's"
        )  # and the process remembers it as it was sealed
    operations.suspend("globex", "closed", SYSTEM)
    with override_settings(SECRETS_KEYS=[NEW, OLD]):
        assert status().keys == {"number 2": 3}
        assert "may be removed" in said("keys", "rotate")
        assert status().keys == {"number 1": 3}
    with override_settings(SECRETS_KEYS=[NEW]):
        assert [key_of(tenant) for tenant in (two.acme, two.globex)] == ["first of acme", "first of globex"]
        with tenant_scope(two.acme):
            platform = layers.platform_of(registry.specs["pager"])
            assert platform.values == {"gateway": "gate.platform", "key": "the platform's"}
            assert AuditEntry.objects.filter(action="secrets.resealed").count() == 1
        assert "already" in said("keys", "rotate")
        with tenant_scope(two.acme):
            assert AuditEntry.objects.filter(action="secrets.resealed").count() == 1


def test_a_secret_stays_bound_to_where_it_goes(two: Tenants) -> None:
    with override_settings(SECRETS_KEYS=[NEW, OLD]):
        list(rotate(SYSTEM))
        with tenant_scope(two.acme), pytest.raises(configuration.Invalid, match="Enter it again"):
            configuration.configure("pager", SYSTEM, {"gateway": "evil.example"})


def test_what_no_key_opens_is_named_and_kept_and_the_others_go_on(two: Tenants) -> None:
    with tenant_scope(two.acme):
        PluginSetting.objects.filter(key="key").update(value={"$sealed": "v1:deadbeef:x"})
    with override_settings(SECRETS_KEYS=[NEW, OLD]):
        assert status().keys == {"none of these": 1, "number 2": 1}
        with pytest.raises(CommandError, match=r"acme, pager: key\. Put the key"):
            said("keys", "rotate")
    with override_settings(SECRETS_KEYS=[NEW]):
        assert key_of(two.globex) == "first of globex"
    with tenant_scope(two.acme):
        assert settings_store.stored("pager")["key"] == {"$sealed": "v1:deadbeef:x"}


def test_one_whose_tables_are_lost_is_named_and_the_others_go_on(two: Tenants) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{two.acme.schema}" CASCADE')
    with override_settings(SECRETS_KEYS=[NEW, OLD]):
        with pytest.raises(CommandError, match=r"not there, .*: acme\. Keep all keys .* or deleted .*Everything else"):
            said("keys", "rotate")
        assert (status().keys, status().lost) == ({"number 1": 1}, ("acme",))
        with pytest.raises(CommandError, match=r"not there, .*: acme\. Keep all keys"):
            said("keys", "status")
        with pytest.raises(CommandError, match="acme"):
            said("keys", "rotate", "--tenant", "acme")
    with override_settings(SECRETS_KEYS=[NEW]):
        assert key_of(two.globex) == "first of globex"


def test_one_that_is_deleted_while_others_are_sealed_anew_is_none_that_is_lost(two: Tenants) -> None:
    with override_settings(SECRETS_KEYS=[NEW, OLD]):
        found = rotate(SYSTEM)
        assert [next(found).where for _ in range(3)] == ["the platform", "acme", "admin"]
        with public_scope(), connection.cursor() as cursor:
            cursor.execute(f'DROP SCHEMA "{two.globex.schema}" CASCADE')
            Tenant.objects.filter(slug="globex").delete()
        assert list(found) == []


class Load:
    """Some who save and one who reads in each organisation. `last`: what was saved last; `failed`: what went wrong."""

    def __init__(self, tenants: tuple[TenantRef, ...]) -> None:
        self.last: dict[str, str] = {}
        self.failed: list[BaseException] = []
        self._done = threading.Event()
        self._guards = {tenant.slug: threading.Lock() for tenant in tenants}
        self._savers = [self._thread(self._save, tenant, name) for tenant in tenants for name in range(SAVERS)]
        self._readers = [self._thread(self._read, tenant) for tenant in tenants]

    def __enter__(self) -> Load:
        for thread in (*self._savers, *self._readers):
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        for thread in (*self._savers, *self._readers):
            thread.join()

    @property
    def goes_on(self) -> bool:
        """Whether somebody still saves."""
        return any(thread.is_alive() for thread in self._savers)

    def _thread(self, work: Callable[..., None], *args: Any) -> threading.Thread:
        def run() -> None:
            try:
                work(*args)
            except BaseException as error:
                self.failed.append(error)
            finally:
                connection.close()

        return threading.Thread(target=run)

    def _save(self, tenant: TenantRef, name: int) -> None:
        for number in range(SAVES):
            with self._guards[tenant.slug]:  # so that it is known which was the last; rotation knows nothing of it
                save(tenant, f"{tenant.slug} {name}.{number}")
                self.last[tenant.slug] = f"{tenant.slug} {name}.{number}"

    def _read(self, tenant: TenantRef) -> None:
        while not self._done.is_set():
            assert str(key_of(tenant)).startswith((tenant.slug, "first of"))


def test_rotating_under_load_loses_no_save(two: Tenants, counted: Callable[[str, int], None]) -> None:
    rotations, load = 0, Load((two.acme, two.globex))
    with override_settings(SECRETS_KEYS=[OLD, NEW, NEWER]):
        with load:
            while load.goes_on:
                settings.SECRETS_KEYS = [[OLD, NEW, NEWER], [NEW, OLD, NEWER], [NEWER, NEW, OLD]][rotations % 3]
                list(rotate(SYSTEM))
                rotations += 1
        settings.SECRETS_KEYS = [NEWER, NEW, OLD]
        list(rotate(SYSTEM))
        settings.SECRETS_KEYS = [NEWER]
        assert load.failed == []
        assert {tenant.slug: key_of(tenant) for tenant in (two.acme, two.globex)} == load.last
    assert rotations > 3
    counted("saves during rotations of the key, none lost", SAVES * SAVERS * 2)
    counted("rotations meanwhile", rotations)


def test_a_killed_rotation_goes_on_where_it_was(committed_db: str, two: Tenants) -> None:
    environment = {**os.environ, "DATABASE_URL": committed_db, "SECRETS_KEYS": f"{NEW},{OLD}"}
    command = [sys.executable, "manage.py", "keys", "rotate"]
    with transaction.atomic(), tenant_scope(two.globex):
        changing.lock_plugins()  # it cannot get past globex
        process = subprocess.Popen(
            command,
            env={**environment, "DJANGO_SETTINGS_MODULE": "saas.settings_test"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "acme: 1 sealed anew\n"
        wait_until(_somebody_waits)
        process.kill()
        process.communicate()
    with override_settings(SECRETS_KEYS=[NEW, OLD]):
        assert status().keys == {"number 1": 1, "number 2": 1}
        rows = json.loads(said("keys", "rotate", "--json"))
        assert {row["where"]: row["resealed"] for row in rows}["globex"] == 1
        assert status().keys == {"number 1": 2}


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(cursor.fetchone()[0])
