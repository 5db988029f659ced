"""A streamed body is made after the view and all middleware have returned, and still in the organisation that asked for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.sdk._calling import PluginExit
from plugin_framework.tenancy import TenantRef, current_scope, tenant_scope
from tests.conftest import Tenants


@pytest.fixture
def both(tenants: Tenants) -> Tenants:
    for ref in (tenants.acme, tenants.globex):
        with tenant_scope(ref):
            get_user_model().objects.create_user(f"a@{ref.slug}.example", "x", name=f"name at {ref.slug}")
            configuration.configure("canary", SYSTEM, {"canary": f"canary of {ref.slug}"})
            lifecycle.enable("canary", SYSTEM)
    return tenants


def body_of(ref: TenantRef, how: str = "") -> Iterator[bytes]:
    answer = Client().get(f"/apps/canary/?stream={how}", headers={"host": ref.host})
    return iter(answer.streaming_content)  # type: ignore[attr-defined]  # it is a streamed one


def piece_of(ref: TenantRef) -> bytes:
    return f"{ref.slug}: name at {ref.slug} canary of {ref.slug}\n".encode()


def test_each_piece_is_of_the_organisation_that_asked(both: Tenants) -> None:
    assert list(body_of(both.acme)) == [piece_of(both.acme)] * 3
    assert current_scope() is None


def test_two_bodies_read_in_turns_do_not_mix(both: Tenants) -> None:
    acme, globex = body_of(both.acme), body_of(both.globex)
    with tenant_scope(both.globex):  # whoever reads it may be somewhere else by then
        pieces = [next(body) for _ in range(3) for body in (acme, globex)]
    assert pieces == [piece_of(both.acme), piece_of(both.globex)] * 3


def test_one_that_ends_the_program_ends_with_an_error_instead(both: Tenants) -> None:
    body = body_of(both.acme, "exit")
    assert next(body) == piece_of(both.acme)
    with pytest.raises(PluginExit):
        next(body)
