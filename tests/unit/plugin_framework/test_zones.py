"""Inside a tenant dates are in its time zone; afterwards they are in the one they were in before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone

from plugin_framework import zones
from plugin_framework.tenancy import TenantRef, bound, no_scope, public_scope, tenant_scope

TOKYO = TenantRef("acme", "Acme", "acme.localhost", "t_aaaaaaaaaaaaaaaaaaaa", timezone="Asia/Tokyo")
BERLIN = TenantRef("globex", "Globex", "globex.localhost", "t_bbbbbbbbbbbbbbbbbbbb", timezone="Europe/Berlin")
PLAIN = TenantRef("plain", "Plain", "plain.localhost", "t_cccccccccccccccccccc")


def now_in() -> str:
    return timezone.get_current_timezone_name()


def test_each_scope_has_its_tenants_zone_and_gives_it_back() -> None:
    seen = [now_in()]
    with tenant_scope(TOKYO):
        seen.append(now_in())
        with tenant_scope(BERLIN):
            seen.append(now_in())
            with tenant_scope(PLAIN):
                seen.append(now_in())
            seen.append(now_in())
        with public_scope():
            seen.append(now_in())
        with no_scope():
            seen.append(now_in())
            with tenant_scope(PLAIN):
                seen.append(now_in())
            with tenant_scope(BERLIN):
                seen.append(now_in())
            seen.append(now_in())
        seen.append(now_in())
    seen.append(now_in())
    tokyo, berlin = TOKYO.timezone, BERLIN.timezone
    assert seen == [
        *("UTC", tokyo, berlin, "UTC", berlin),
        *(tokyo, "UTC", "UTC", berlin, "UTC", tokyo, "UTC"),
    ]


def test_an_error_gives_it_back_too() -> None:
    with pytest.raises(RuntimeError), tenant_scope(TOKYO):
        raise RuntimeError
    assert now_in() == "UTC"


def test_code_that_leaves_the_scope_takes_the_zone_along() -> None:
    with tenant_scope(TOKYO):
        ask = bound(now_in)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(ask).result() == "Asia/Tokyo"
        assert pool.submit(now_in).result() == "UTC"


def test_a_zone_that_this_machine_does_not_know_is_utc_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    zones.zone.cache_clear()
    with tenant_scope(TenantRef("odd", "Odd", "odd.localhost", "t_dddddddddddddddddddd", timezone="Mars/Olympus")):
        assert now_in() == "UTC"
    assert "Mars/Olympus" in caplog.text


def test_the_choice_is_of_places_and_utc() -> None:
    assert zones.names()[0] == "UTC"
    assert {"Europe/Berlin", "America/Argentina/Ushuaia", "Asia/Kathmandu"} <= set(zones.names())
    assert not {"EST", "posixrules", "Etc/GMT+12", "US/Pacific"} & set(zones.names())
