"""The invoices' pages: for people who are signed in, where the plugin runs; and a sheet that prints under the strict policy."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from plugin_framework import activation, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import tenant_scope
from plugins.invoices_plugin.billing import Terms
from plugins.invoices_plugin.models import Invoice
from plugins.invoices_plugin.views import PAGE
from plugins.orders_plugin.services import LineInput
from saas.testing.people import person
from tests.conftest import Tenants
from tests.integration.plugins.invoicing import SETTINGS, invoiced

Make = Callable[..., Any]
LIST = "/apps/invoices/"
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def page(acme: Tenants, switch_on: Make, ada: Make, client_for: Callable[..., Client]) -> Client:
    """Ada, signed in to `acme`, which has enabled invoices."""
    switch_on("invoices", SETTINGS)
    return client_for(acme.acme, ada())


class Elements(HTMLParser):
    """All start tags of a page with their attributes, and the text inside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[str] = []
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._inside = tag if tag in {"script", "style"} else ""

    def handle_data(self, data: str) -> None:
        if self._inside and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def overdue(name: str) -> Invoice:
    invoice = invoiced(name)
    Invoice.objects.filter(pk=invoice.pk).update(due_on=timezone.localdate() - timedelta(days=1))
    return invoice


def test_nobody_sees_invoices_without_signing_in(
    page: Client, acme: Tenants, client_for: Callable[..., Client]
) -> None:
    invoice = invoiced()
    stranger = client_for(acme.acme)
    for path in ("", f"{invoice.pk}/", f"{invoice.pk}/print/"):
        answer = stranger.get(f"{LIST}{path}")
        assert (answer.status_code, "/accounts/login/" in answer["Location"]) == (302, True)
    assert stranger.post(f"{LIST}{invoice.pk}/paid/").status_code == 302
    invoice.refresh_from_db()
    assert invoice.paid_on is None


def test_where_the_plugin_is_off_there_is_no_page(
    page: Client, acme: Tenants, client_for: Callable[..., Client]
) -> None:
    invoice = invoiced()
    paths = ("", f"{invoice.pk}/", f"{invoice.pk}/print/")
    gil = client_for(acme.globex, person(acme.globex, "owner"))
    assert [gil.get(f"{LIST}{path}").status_code for path in paths] == [404] * 3
    lifecycle.disable("invoices", SYSTEM)
    assert [page.get(f"{LIST}{path}").status_code for path in paths] == [404] * 3
    assert page.post(f"{LIST}{invoice.pk}/paid/").status_code == 404


def test_another_organisations_invoice_is_not_there(
    page: Client, acme: Tenants, switch_on: Make, client_for: Callable[..., Client]
) -> None:
    theirs = [invoiced(f"Acme's customer {number}") for number in range(3)]
    with tenant_scope(acme.globex):
        switch_on("invoices", SETTINGS)
        own = invoiced("Globex's customer")
    gil = client_for(acme.globex, person(acme.globex, "owner"))
    for invoice in theirs[1:]:
        assert invoice.pk != own.pk
        assert gil.get(f"{LIST}{invoice.pk}/").status_code == 404
        assert gil.get(f"{LIST}{invoice.pk}/print/").status_code == 404
        assert gil.post(f"{LIST}{invoice.pk}/paid/").status_code == 404
    for path in ("", f"{own.pk}/", f"{own.pk}/print/"):
        assert "Globex&#x27;s customer" in text_of(gil, f"{LIST}{path}")
        assert "Acme&#x27;s customer" not in text_of(gil, f"{LIST}{path}")
    assert not Invoice.objects.filter(paid_on__isnull=False).exists()


@pytest.mark.parametrize("number", ["0", "999", "9" * 30])
def test_an_invoice_that_is_not_there_is_a_404(page: Client, number: str) -> None:
    invoiced()
    for path in ("", "print/"):
        assert page.get(f"{LIST}{number}/{path}").status_code == 404
    for path in ("paid/", "unpaid/"):
        assert page.post(f"{LIST}{number}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["x/", "-1/", "1.5/", "1/nonsense/", "%00/", "1/print"])
def test_an_address_that_makes_no_sense_is_no_page(page: Client, path: str) -> None:
    invoiced()
    assert page.get(f"{LIST}{path}").status_code in (301, 404)


def test_an_empty_list_says_what_to_do(page: Client) -> None:
    text = text_of(page, LIST)
    assert "There are no invoices yet" in text
    assert 'href="/apps/orders/"' in text.partition("There are no invoices yet")[2]


def test_the_list_is_searched_and_filtered(page: Client) -> None:
    for name in ("Zoe", "Yann"):
        invoiced(name)
    overdue("Xaver")
    page.post(f"{LIST}{Invoice.objects.get(number=2).pk}/paid/")
    shown = {
        query: [name for name in ("Zoe", "Yann", "Xaver") if name in text_of(page, f"{LIST}?{query}")]
        for query in (
            "",
            "q=yann",
            "q=inv-00001",
            "q=carl@+xav",
            "state=open",
            "state=paid",
            "state=overdue",
            "q=zoe&state=paid",
        )
    }
    assert shown == {
        "": ["Zoe", "Yann", "Xaver"],
        "q=yann": ["Yann"],
        "q=inv-00001": ["Zoe"],
        "q=carl@+xav": ["Xaver"],
        "state=open": ["Zoe"],
        "state=paid": ["Yann"],
        "state=overdue": ["Xaver"],
        "q=zoe&state=paid": [],
    }
    assert "No invoice fits" in text_of(page, f"{LIST}?q=nobody")


@pytest.mark.parametrize(
    "query",
    [{"q": "\x00"}, {"q": "x" * 5000}, {"q": "%_\\'\""}, {"state": "bogus"}, {"page": "-1"}, {"page": "x"}, {"page": "9" * 50}],
)  # fmt: skip
def test_an_odd_query_is_answered(page: Client, query: dict[str, str]) -> None:
    invoiced()
    assert page.get(LIST, query).status_code == 200


def test_a_long_list_has_pages_that_keep_the_search(page: Client) -> None:
    for number in range(PAGE + 1):
        invoiced(f"Carl{number:02}")
    first = page.get(LIST, {"q": "carl"}).content.decode()
    assert f"Carl{PAGE}" in first
    assert "Carl00" not in first
    assert "q=carl&amp;page=2" in first
    assert "Carl00" in page.get(LIST, {"q": "carl", "page": "2"}).content.decode()


def test_the_detail_shows_it_all_and_leads_to_the_order_and_the_sheet(page: Client) -> None:
    invoice = invoiced("Carl", LineInput("Rocket", 2, Decimal("19.95")), currency="USD")
    text = text_of(page, f"{LIST}{invoice.pk}/")
    for words in (
        "Invoice INV-00001",
        "Open",
        "Carl",
        "carl@example.com",
        "Rocket",
        "19.95",
        "39.90 USD",
        "19 % VAT: 6.37 USD",
    ):
        assert words in text
    assert f'href="/apps/orders/{invoice.order_number}/"' in text
    assert f'href="{LIST}{invoice.pk}/print/"' in text


def test_a_payment_is_noted_by_post_and_taken_back(page: Client) -> None:
    invoice = invoiced()
    assert page.get(f"{LIST}{invoice.pk}/paid/").status_code == 405
    for path, words, state in (
        ("paid/", "is noted as paid", "paid"),
        ("paid/", "is already noted as paid", "paid"),
        ("unpaid/", "is noted as not paid", "open"),
        ("unpaid/", "is already noted as not paid", "open"),
    ):
        assert words in page.post(f"{LIST}{invoice.pk}/{path}", follow=True).content.decode()
        invoice.refresh_from_db()
        assert invoice.state == state
    page.post(f"{LIST}{invoice.pk}/paid/")
    assert "noted by ada@acme.example" in text_of(page, f"{LIST}{invoice.pk}/")


def test_the_sheet_has_what_an_invoice_needs(page: Client) -> None:
    invoice = invoiced("Carl", LineInput("Rocket", 2, Decimal("19.95")))
    text = text_of(page, f"{LIST}{invoice.pk}/print/")
    seller = (
        '<p class="name">Acme Rockets GmbH</p>',
        "1 Rocket Road<br>12345 Acmetown",
        "DE123456789",
        "IBAN DE00 0000",
    )
    sums = ("19.95", "39.90 EUR", "33.53 EUR", "6.37 EUR", "VAT, 19 %", "Pay 39.90 EUR by")
    for words in ("<h1>Invoice</h1>", "INV-00001", "Carl", "Rocket", *seller, *sums):
        assert words in text
    page.post(f"{LIST}{invoice.pk}/paid/")
    assert "Pay 39.90" not in text_of(page, f"{LIST}{invoice.pk}/print/")


@pytest.mark.parametrize(("rate", "shown"), [("19", "19 %"), ("8.25", "8.25 %"), ("7.70", "7.7 %"), ("100", "100 %")])
def test_the_rate_is_shown_as_it_is_and_never_rounded(page: Client, rate: str, shown: str) -> None:
    invoice = invoiced(terms=Terms("Acme", "1 Road", tax_rate=Decimal(rate)))
    assert f"includes {shown} VAT" in text_of(page, f"{LIST}{invoice.pk}/")
    assert f"VAT, {shown}<" in text_of(page, f"{LIST}{invoice.pk}/print/")


def test_without_a_rate_no_tax_is_mentioned(page: Client) -> None:
    invoice = invoiced(terms=Terms("Acme", "1 Road"))
    for path in (f"{LIST}{invoice.pk}/", f"{LIST}{invoice.pk}/print/"):
        assert "VAT" not in text_of(page, path)


def test_the_sheet_obeys_the_strict_policy_with_files_of_its_own(page: Client) -> None:
    answer = page.get(f"{LIST}{invoiced().pk}/print/")
    assert "style-src 'self'" in answer["Content-Security-Policy"]
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    found = Elements(answer.content.decode())
    assert found.inline == []
    for _, attributes in found.found:
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
    files = [each["href"] for tag, each in found.found if tag == "link"] + [
        each["src"] for tag, each in found.found if tag == "script"
    ]
    assert len(files) == 2
    for path in files:
        assert path is not None
        served = page.get(path)
        assert (served.status_code, path.startswith("/static/invoices_plugin/")) == (200, True)
        content = b"".join(served.streaming_content).decode()  # type: ignore[arg-type]  # a file's, never an async one
        assert "@media print" in content or "window.print()" in content


def test_what_customers_are_called_is_escaped_everywhere(page: Client, acme: Tenants) -> None:
    terms = Terms(EVIL[:200], EVIL, EVIL[:100], "<b>", EVIL, 0, "<i>", Decimal(19))
    invoice = invoiced(EVIL, LineInput(EVIL, 1, Decimal(5)), terms=terms)
    for path in (LIST, f"{LIST}?q=<script>", f"{LIST}{invoice.pk}/", f"{LIST}{invoice.pk}/print/", "/"):
        text = text_of(page, path)
        assert not re.search(r"<script>|<img|<b>|<i>", text), path
    assert "&lt;script&gt;" in text_of(page, f"{LIST}{invoice.pk}/print/")
    assert "&lt;script&gt;" in page.post(f"{LIST}{invoice.pk}/paid/", follow=True).content.decode()


def test_the_navigation_and_the_dashboard_lead_there(page: Client) -> None:
    assert "Nothing is waiting to be paid" in text_of(page, "/")
    invoiced("Carl", LineInput("Rocket", 1, Decimal(20)))
    invoiced("Carl", LineInput("Rocket", 1, Decimal(30)), currency="USD")
    overdue("Dora")
    text = text_of(page, "/")
    assert f'href="{LIST}"' in text
    assert "20.30 EUR" in text
    assert "30.00 USD" in text
    assert re.search(rf'href="{LIST}\?state=open">2<', text)
    assert re.search(rf'href="{LIST}\?state=overdue">1<', text)


def test_a_member_sees_what_an_admin_sees(page: Client, acme: Tenants, client_for: Callable[..., Client]) -> None:
    invoice = invoiced()
    for role in ("member", "admin", "owner"):
        client = client_for(acme.acme, person(acme.acme, role))
        for path in (LIST, f"{LIST}{invoice.pk}/", f"{LIST}{invoice.pk}/print/"):
            assert "Carl" in text_of(client, path)


def test_an_admin_sets_it_up_on_its_page(acme: Tenants, client_for: Callable[..., Client]) -> None:
    admin = client_for(acme.acme, person(acme.acme, "admin"))
    url = "/settings/plugins/invoices/"
    assert admin.post(f"{url}enable/").status_code == 422, "what it requires is asked for in the same step"
    with tenant_scope(acme.acme):
        lifecycle.enable("invoices", SYSTEM)
        assert lifecycle.status("orders").decision.runs
        assert lifecycle.status("invoices").decision.reason == "needs_setup"
    form = {
        "seller_address": "1 Road",
        "tax_rate": "7.7",
        "tax_name": "VAT",
        "due_days": "30",
        "prefix": "A-",
        "revision": "0",
    }
    for change, wrong in (({"seller_address": ""}, "seller_address"), ({"tax_rate": "101"}, "tax_rate"),
                          ({"tax_rate": "7.125"}, "tax_rate"), ({"due_days": "-1"}, "due_days")):  # fmt: skip
        answer = admin.post(f"{url}configure/", {**form, **change})
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, [wrong])
    assert admin.post(f"{url}configure/", form).status_code == 302
    with tenant_scope(acme.acme):
        plugin = activation.current().plugins["invoices"]
    assert plugin.settings["tax_rate"] == 7.7
    assert Terms.of(plugin.settings, "Acme") == Terms(
        "Acme", "1 Road", prefix="A-", due_days=30, tax_rate=Decimal("7.70")
    )
