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
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.waiting import wait_until
from tenants import operations
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
        assert status() == {"number 2": 3}
        assert "may be removed" in said("keys", "rotate")
        assert status() == {"number 1": 3}
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
        assert status() == {"none of these": 1, "number 2": 1}
        with pytest.raises(CommandError, match=r"acme, pager: key\. Put the key"):
            said("keys", "rotate")
    with override_settings(SECRETS_KEYS=[NEW]):
        assert key_of(two.globex) == "first of globex"
    with tenant_scope(two.acme):
        assert settings_store.stored("pager")["key"] == {"$sealed": "v1:deadbeef:x"}


def test_rotating_under_load_loses_no_save(two: Tenants, counted: Callable[[str, int], None]) -> None:
    last: dict[str, str] = {}
    failed: list[BaseException] = []
    done = threading.Event()

    def saver(tenant: TenantRef, guard: threading.Lock, name: int) -> None:
        try:
            for number in range(SAVES):
                with guard:  # so that the test knows which save was the last; rotation knows nothing of it
                    save(tenant, f"{tenant.slug} {name}.{number}")
                    last[tenant.slug] = f"{tenant.slug} {name}.{number}"
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    def reader(tenant: TenantRef) -> None:
        try:
            while not done.is_set():
                assert str(key_of(tenant)).startswith((tenant.slug, "first of"))
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    guards = {tenant.slug: threading.Lock() for tenant in (two.acme, two.globex)}
    savers = [
        threading.Thread(target=saver, args=(tenant, guards[tenant.slug], name))
        for tenant in (two.acme, two.globex)
        for name in range(SAVERS)
    ]
    readers = [threading.Thread(target=reader, args=(tenant,)) for tenant in (two.acme, two.globex)]
    rotations = 0
    with override_settings(SECRETS_KEYS=[OLD, NEW, NEWER]):
        for thread in (*savers, *readers):
            thread.start()
        while any(thread.is_alive() for thread in savers):
            order = [[OLD, NEW, NEWER], [NEW, OLD, NEWER], [NEWER, NEW, OLD]][rotations % 3]
            settings.SECRETS_KEYS = order
            list(rotate(SYSTEM))
            rotations += 1
        done.set()
        for thread in (*savers, *readers):
            thread.join()
        settings.SECRETS_KEYS = [NEWER, NEW, OLD]
        list(rotate(SYSTEM))
        settings.SECRETS_KEYS = [NEWER]
        assert failed == []
        assert {tenant.slug: key_of(tenant) for tenant in (two.acme, two.globex)} == last
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
        assert status() == {"number 1": 1, "number 2": 1}
        rows = json.loads(said("keys", "rotate", "--json"))
        assert {row["where"]: row["resealed"] for row in rows}["globex"] == 1
        assert status() == {"number 1": 2}


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(cursor.fetchone()[0])
