"""The cache: one table for all, and nobody sees what another has put there."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.core.cache import cache
from django.db import connection

from plugin_framework.sdk import NoTenant
from plugin_framework.tenancy import TenantRef, no_scope, public_scope, tenant_scope
from saas.throttle.models import CacheEntry
from tests.conftest import Tenants


@pytest.fixture
def scopes(tenants: Tenants) -> dict[str, TenantRef | None]:
    return {"acme": tenants.acme, "globex": tenants.globex, "public": None}


def scope(ref: TenantRef | None) -> ExitStack:
    stack = ExitStack()
    stack.enter_context(tenant_scope(ref) if ref else public_scope())
    return stack


def test_what_is_stored_is_found_again(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        cache.set("a", {"b": [1, 2]}, 60)
        assert cache.get("a") == {"b": [1, 2]}
        assert cache.add("a", 1) is False
        assert cache.add("n", 1)
        assert cache.incr("n") == 2
        assert cache.touch("a", 60)
        assert cache.delete("a")
        assert cache.get("a") is None


def awkward_keys() -> Iterator[str]:
    chance = random.Random(7)
    yield from ("", ":", "::1", "public", "1:a", "a:1:a", "k" * 1000, "k" * 999 + "j", "ключ", "%s", "'", '"', "\\")
    for _ in range(40):
        yield "".join(chance.choice(":ab1_%") for _ in range(chance.randrange(1, 40)))


def test_no_key_reaches_another_tenants_value(scopes: dict[str, TenantRef | None]) -> None:
    keys = list(dict.fromkeys(awkward_keys()))
    for name, ref in scopes.items():
        with scope(ref):
            cache.set_many({key: f"{name}/{key}" for key in keys}, 60)
    for name, ref in scopes.items():
        with scope(ref):
            assert cache.get_many(keys) == {key: f"{name}/{key}" for key in keys}


def test_a_key_spelt_like_the_neighbours_is_still_ones_own(tenants: Tenants) -> None:
    with tenant_scope(tenants.globex):
        cache.set("secret", "globex", 60)
        theirs = cache.make_key("secret")
    with tenant_scope(tenants.acme):
        assert [cache.get(each) for each in (theirs, f"{tenants.globex.schema}:secret")] == [None, None]


def test_forgetting_everything_forgets_ones_own(scopes: dict[str, TenantRef | None], tenants: Tenants) -> None:
    for ref in scopes.values():
        with scope(ref):
            cache.set("a", 1, 60)
    with tenant_scope(tenants.acme):
        cache.clear()
        assert cache.get("a") is None
    for ref in (tenants.globex, None):
        with scope(ref):
            assert cache.get("a") == 1


def test_outside_of_every_scope_there_is_no_cache(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        cache.set("a", 1, 60)
    for use in (
        lambda: cache.get("a"),
        lambda: cache.get_many(["a"]),
        lambda: cache.set("a", 2, 60),
        lambda: cache.add("a", 2, 60),
        lambda: cache.touch("a", 60),
        lambda: cache.delete("a"),
        lambda: "a" in cache,
        lambda: cache.incr("a"),
        cache.clear,
    ):
        with no_scope(), pytest.raises(NoTenant):
            use()
    with tenant_scope(tenants.acme):
        assert cache.get("a") == 1


def test_a_value_that_is_somebody_elses_counts_as_absent(tenants: Tenants, caplog: pytest.LogCaptureFixture) -> None:
    with tenant_scope(tenants.globex):
        cache.set("a", "canary of globex", 60)
        theirs = cache.make_key("a")
    with tenant_scope(tenants.acme):
        mine = cache.make_key("a")
        with public_scope():
            CacheEntry.objects.filter(cache_key=theirs).update(cache_key=mine)
        assert cache.get("a", "nothing") == "nothing"
        assert cache.get_many(["a"]) == {}
        assert "values of somebody else" in caplog.text
        assert cache.add("a", "mine", 60) is False  # it is there for Django, and expires
        cache.set("a", "mine", 60)
        assert cache.get("a") == "mine"


def test_a_table_of_the_same_name_in_a_tenants_schema_is_not_mistaken_for_it(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        with connection.cursor() as cursor:
            cursor.execute(
                f'CREATE TABLE "{tenants.acme.schema}".tenantry_cache (LIKE public.tenantry_cache INCLUDING ALL)'
            )
        cache.set("a", 1, 60)
        assert cache.get("a") == 1
    with public_scope():
        assert CacheEntry.objects.filter(cache_key__startswith=tenants.acme.schema).count() == 1


def test_every_stored_key_says_whose_it_is(scopes: dict[str, TenantRef | None]) -> None:
    for ref in scopes.values():
        with scope(ref):
            cache.set("a", 1, 60)
    owners = {ref.schema if ref else "public" for ref in scopes.values()}
    with public_scope():
        assert {key.partition(":")[0] for key in CacheEntry.objects.values_list("cache_key", flat=True)} == owners
