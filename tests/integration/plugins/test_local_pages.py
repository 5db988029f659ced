"""Pages write numbers as the reader's language does, and times as the organisation's clock shows them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import translation

from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import tenant_scope
from plugins.invoices_plugin.models import Invoice
from plugins.orders_plugin.models import Order
from plugins.orders_plugin.services import LineInput
from plugins.usage_analytics_plugin import services as usage
from plugins.usage_analytics_plugin.models import ViewCount
from saas.site.delivery_payload import _bytes
from saas.templatetags.tenantry import duration
from tenants import profile
from tests.conftest import Tenants
from tests.integration.plugins.invoicing import SETTINGS, invoiced

Make = Callable[..., Any]
AT = datetime(2026, 11, 28, 20, 5, tzinfo=UTC)  # in Kolkata it is the 29th, 01:35
GERMAN, ENGLISH = "de-DE,de;q=0.9", "en-GB,en;q=0.9"


@pytest.fixture
def read(acme: Tenants, switch_on: Make, ada: Make, client_for: Callable[..., Client]) -> Callable[[str, str], str]:
    """`read(path, language)`: a page of acme, which is in Kolkata and has a large order with its invoice."""
    profile.change(profile.Profile("Acme", "Asia/Kolkata"), SYSTEM)
    switch_on("orders")
    switch_on("invoices", {**SETTINGS, "tax_rate": 8.25})
    switch_on("usage_analytics")
    client = client_for(acme.acme, ada())
    invoice = invoiced("Carl", LineInput("Rocket", 2, Decimal("1234567.50")))
    Order.objects.update(created_at=AT, confirmed_at=AT)
    Invoice.objects.filter(pk=invoice.pk).update(order_confirmed_at=AT, tax_rate=Decimal("8.25"))
    return lambda path, language: client.get(path, headers={"accept-language": language}).content.decode()


@pytest.mark.parametrize(
    ("language", "amount", "unit", "at", "day"),
    [
        (GERMAN, "2.469.135,00 EUR", "1.234.567,50", "29.11.2026, 01:35 IST", "29.11.2026"),
        (ENGLISH, "2,469,135.00 EUR", "1,234,567.50", "29 Nov 2026, 01:35 IST", "29 Nov 2026"),
    ],
)
def test_orders_and_invoices_follow_the_language_and_the_organisations_clock(
    read: Callable[[str, str], str], language: str, amount: str, unit: str, at: str, day: str
) -> None:
    order, invoice = Order.objects.get(), Invoice.objects.get()
    orders, one = read("/apps/orders/", language), read(f"/apps/orders/{order.pk}/", language)
    assert (amount in orders, at in orders, amount in one, unit in one, at in one) == (True,) * 5
    invoices = read("/apps/invoices/", language)
    assert amount in invoices
    for path in ("", "print/"):
        page = read(f"/apps/invoices/{invoice.pk}/{path}", language)
        assert (amount in page, unit in page, day in page) == (True,) * 3
    assert ("8,25 %" if language == GERMAN else "8.25 %") in read(f"/apps/invoices/{invoice.pk}/print/", language)


@pytest.mark.parametrize(("language", "number"), [(GERMAN, "1.23"), (ENGLISH, "1,23")])
def test_counts_of_views_follow_the_language(read: Callable[[str, str], str], language: str, number: str) -> None:
    usage.count("apps:orders:list", 2, 1, on=datetime.now(ZoneInfo("Asia/Kolkata")).date())
    ViewCount.objects.update(views=1230)  # the pages that are read here are counted too
    assert f"<dd>{number}" in read("/apps/usage-analytics/", language)
    assert f"<strong>{number}" in read("/", language)


def test_what_a_form_holds_is_written_for_the_browser(read: Callable[[str, str], str]) -> None:
    order = Order.objects.get()
    Order.objects.update(state="draft")
    form = read(f"/apps/orders/{order.pk}/edit/", GERMAN)
    assert 'value="1234567.50"' in form  # which shows it as its language does


def test_a_long_time_is_told_in_hours_and_days() -> None:
    hour = 3_600_000
    assert [duration(ms) for ms in (125_000, hour, 12_000_000, 24 * hour, 98 * hour, 1_234 * 24 * hour)] == [
        "2 min 5 s", "1 h 0 min", "3 h 20 min", "1 d 0 h", "4 d 2 h", "1,234 d 0 h",
    ]  # fmt: skip


@pytest.mark.parametrize(("language", "took", "size"), [("de", "1,3 s", "1.500 Byte"), ("en", "1.3 s", "1,500 bytes")])
def test_how_long_and_how_large_something_was_follow_the_language(
    acme: Tenants, language: str, took: str, size: str
) -> None:
    with tenant_scope(acme.acme), translation.override(language):
        assert (duration(1340), _bytes("a" * 2000)) == (took, size)
