"""/metrics: who may read it, and what it never says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

import pytest
from django.test import Client, override_settings

from plugin_framework.audit import Actor
from plugin_framework.metrics.names import ALL
from plugin_framework.sdk import ErrorReport
from plugin_framework.tenancy import tenant_scope
from saas.testing import actions
from saas.testing.receivers import webhook_server
from tenants.provisioning import create_tenant
from tests.conftest import Tenants
from tests.integration.watch.conftest import TOKEN, Page
from tests.support.canaries import Canary, Search

BEARER = {"Authorization": f"Bearer {TOKEN}"}


def test_without_a_token_there_is_no_page(db: None) -> None:
    with override_settings(METRICS_TOKEN=""):
        for given in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer"}, BEARER):
            assert Client(headers=given).get("/metrics").status_code == 404


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN.upper()}",
        "Bearer \udcff\xff",
    ],
)
def test_only_the_token_opens_it(counts: Path, given: str) -> None:
    answer = Client().get("/metrics", HTTP_AUTHORIZATION=given)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert b"tenantry_" not in answer.content


@pytest.mark.parametrize("host", ["localhost", "acme.localhost", "nobody.localhost", "10.0.0.7", "not a host"])
def test_every_host_answers_with_the_token(tenants: Tenants, counts: Path, host: str) -> None:
    answer = Client(headers={"host": host, **BEARER}).get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert answer["Cache-Control"] == "no-store"


def test_every_metric_is_described_even_before_anything_has_happened(db: None, scrape: Callable[[], Page]) -> None:
    families = scrape().families
    for metric in ALL:
        family = families[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.kind, metric.meaning)


def test_a_request_is_counted_with_its_status_and_site(
    client_for: Callable[..., Client], tenants: Tenants, scrape: Callable[[], Page]
) -> None:
    client_for(tenants.acme).get("/nowhere/")
    client_for(tenants.globex).get("/nowhere/")
    client_for().get("/")
    page = scrape()
    assert page("tenantry_request_seconds_count", status="4xx", site="tenant") == 2
    assert page("tenantry_request_seconds_bucket", status="4xx", site="tenant", le="+Inf") == 2
    assert page("tenantry_request_seconds_count", status="2xx", site="public") == 1
    assert scrape()("tenantry_request_seconds_count", status="2xx", site="none") == 1, "the first scrape itself"


def test_nothing_of_a_tenant_and_no_secret_is_in_it(
    committed_db: str, tenants: Tenants, client_for: Callable[..., Client], scrape: Callable[[], Page]
) -> None:
    planted = [Canary(what) for what in ("name", "secret", "path", "event", "query")]
    name, secret, path, event, query = (each.core for each in planted)
    slug = Canary("slug", f"canary{token_hex(6)}")
    ref = create_tenant(slug.core, name, Actor(event))
    with webhook_server() as receiver, tenant_scope(ref), override_settings(PLUGIN_ALLOW_LOOPBACK=True):
        receiver.status = 500
        actions.enable("slack_notifications", {"webhook_url": f"{receiver.url}{secret}"})
        report = ErrorReport(event, event, event, f"/{event}/", event, "2026-01-01T00:00:00Z")
        assert [row.state for row in actions.emit_and_deliver("system_error", report)] == ["due"]
    client_for(ref).get(f"/{path}/?q={query}", headers={"X-Request-ID": query, "User-Agent": path})
    text = scrape().text
    assert 'plugin="slack_notifications"' in text, "something has been counted"
    assert Search([*planted, slug]).leaks(text) == []
    for tenant in (tenants.acme, tenants.globex, ref):
        assert [word for word in (tenant.slug, tenant.schema, tenant.host) if word in text] == []
    assert TOKEN not in text


def test_the_labels_are_those_of_the_description(
    committed_db: str, tenants: Tenants, scrape: Callable[[], Page]
) -> None:
    page = scrape()
    for metric in ALL:
        for sample in page.families[metric.name.removesuffix("_total")].samples:
            assert set(sample.labels) - {"le"} == set(metric.labels)
