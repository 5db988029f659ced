"""Secrets in plugins' own tables: bound to the tenant, the plugin and the purpose, and sealed anew with a new key."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from plugin_framework import key_rotation, lifecycle, masking, purge, sealed_columns
from plugin_framework.audit import SYSTEM
from plugin_framework.key_rotation import status
from plugin_framework.models import AuditEntry
from plugin_framework.sdk import NotAllowed, NoTenant, SealedField, SecretLost, seal, unseal
from plugin_framework.tenancy import no_scope, tenant_scope
from plugins.webhooks_plugin.models import Endpoint
from tests.conftest import Tenants

OLD = settings.SECRETS_KEYS[0]
NEW = "new-key-" + "n" * 40
PLAIN = "a-secret-of-some-length"


@pytest.fixture
def two(committed_db: str, tenants: Tenants) -> Iterator[Tenants]:
    """Both tenants have an endpoint, with an old secret too in the second."""
    for ref in (tenants.acme, tenants.globex):
        with tenant_scope(ref):
            lifecycle.enable("webhooks", SYSTEM)
            old = seal("webhooks", "signing", f"old of {ref.slug}") if ref is tenants.globex else ""
            new = seal("webhooks", "signing", f"secret of {ref.slug}")
            Endpoint.objects.create(url="https://8.8.8.8/", secret=new, old_secret=old)
    yield tenants
    masking.forget()


def said(*arguments: str) -> str:
    out = io.StringIO()
    call_command("keys", *arguments, stdout=out)
    return out.getvalue()


def test_what_was_sealed_opens_where_it_was_sealed_and_nowhere_else(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        sealed = seal("webhooks", "signing", PLAIN)
        assert PLAIN not in sealed
        assert unseal("webhooks", "signing", sealed) == PLAIN
        for plugin, purpose in (("orders", "signing"), ("webhooks", "other")):
            with pytest.raises(SecretLost, match="SECRETS_KEYS"):
                unseal(plugin, purpose, sealed)
        for broken in ("", "v1", sealed[:-9], sealed.replace("v1:", "v2:")):
            with pytest.raises(SecretLost):
                unseal("webhooks", "signing", broken)
    with tenant_scope(tenants.globex), pytest.raises(SecretLost):
        unseal("webhooks", "signing", sealed)


def test_nothing_is_sealed_outside_of_a_tenant_or_for_a_plugin_that_is_not_there(tenants: Tenants) -> None:
    with no_scope(), pytest.raises(NoTenant):
        seal("webhooks", "signing", PLAIN)
    with no_scope(), pytest.raises(NoTenant):
        unseal("webhooks", "signing", "v1:x:y")
    with tenant_scope(tenants.acme), pytest.raises(NotAllowed, match="nonesuch"):
        seal("nonesuch", "signing", PLAIN)


def test_a_sealed_secret_is_no_settings_secret_of_the_same_name(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        sealed = seal("webhooks", "signing", PLAIN)
        with pytest.raises(ValueError, match="opened"):
            sealed_columns.box().open(sealed, tenant=tenants.acme.schema, plugin="webhooks", field="signing")


def test_what_was_opened_is_hidden_in_the_tenants_logs(tenants: Tenants, caplog: pytest.LogCaptureFixture) -> None:
    with tenant_scope(tenants.acme):
        sealed = seal("webhooks", "signing", PLAIN)
        masking.forget()
        unseal("webhooks", "signing", sealed)
        logging.getLogger("any").warning("the answer was %s", PLAIN)
    masking.forget()
    assert PLAIN not in caplog.text
    assert "the answer was" in caplog.text


def test_every_column_opens_with_the_new_key_alone_after_rotating(two: Tenants) -> None:
    with override_settings(SECRETS_KEYS=[NEW, OLD]):
        assert status().keys == {"number 2": 3}
        assert "globex: 2 sealed anew" in said("rotate")
        assert status().keys == {"number 1": 3}
        assert "already" in said("rotate")
    with override_settings(SECRETS_KEYS=[NEW]):
        for ref in (two.acme, two.globex):
            with tenant_scope(ref):
                row = Endpoint.objects.get()
                assert unseal("webhooks", "signing", row.secret) == f"secret of {ref.slug}"
                assert AuditEntry.objects.filter(action="secrets.resealed").count() == 1
        assert unseal_old(two) == "old of globex"


def unseal_old(two: Tenants) -> str:
    with tenant_scope(two.globex):
        return unseal("webhooks", "signing", Endpoint.objects.get().old_secret)


def test_a_column_that_no_key_opens_is_named_and_kept_and_the_others_go_on(two: Tenants) -> None:
    with tenant_scope(two.acme):
        Endpoint.objects.update(secret="v1:deadbeef:x")
    with override_settings(SECRETS_KEYS=[NEW, OLD]):
        with pytest.raises(CommandError, match=r"acme, webhooks: signing of endpoint \d+"):
            said("rotate")
        assert status().keys == {"number 1": 2, "none of these": 1}
    with tenant_scope(two.acme):
        assert Endpoint.objects.get().secret == "v1:deadbeef:x"


def test_a_secret_that_is_replaced_meanwhile_is_not_overwritten(two: Tenants, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sealed_columns.Column.values

    def replaced_behind_its_back(column: sealed_columns.Column) -> list[tuple[object, str]]:
        found = real(column)
        Endpoint.objects.filter(secret__gt="").update(secret=seal("webhooks", "signing", "just made"))
        return found

    with override_settings(SECRETS_KEYS=[NEW, OLD]):
        monkeypatch.setattr(sealed_columns.Column, "values", replaced_behind_its_back)
        found = list(key_rotation.rotate(SYSTEM, two.acme))
        assert [each.secrets for each in found] == [0]
        with tenant_scope(two.acme):
            assert unseal("webhooks", "signing", Endpoint.objects.get().secret) == "just made"


def test_a_disabled_plugins_columns_are_sealed_anew_and_a_purged_ones_are_no_obstacle(two: Tenants) -> None:
    with tenant_scope(two.acme):
        lifecycle.disable("webhooks", SYSTEM)
    with tenant_scope(two.globex):
        lifecycle.disable("webhooks", SYSTEM)
        purge.purge("webhooks", SYSTEM, confirmation="webhooks")
        assert "webhooks_plugin_endpoint" not in connection.introspection.table_names()
    with override_settings(SECRETS_KEYS=[NEW, OLD]):
        said("rotate")
        assert status().keys == {"number 1": 1}


def test_a_migration_names_the_field_by_its_public_place_and_keeps_its_purpose() -> None:
    name, path, args, options = SealedField(purpose="signing", blank=True).deconstruct()
    assert (name, path, args) == (None, "plugin_framework.sdk.SealedField", [])
    assert options == {"purpose": "signing", "blank": True}
    with pytest.raises(TypeError, match="purpose"):
        SealedField()
