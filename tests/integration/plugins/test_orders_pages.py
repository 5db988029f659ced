"""The orders' pages: for people who are signed in, where the plugin runs; bad input keeps what was typed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugins.orders_plugin import services
from plugins.orders_plugin.forms import MOST_LINES
from plugins.orders_plugin.models import Order, OrderState
from plugins.orders_plugin.services import LineInput, OrderInput
from plugins.orders_plugin.views import PAGE
from tests.conftest import Tenants

Make = Callable[..., Any]
LIST = "/apps/orders/"
GOOD = {
    "customer_name": "Carl",
    "customer_email": "carl@example.com",
    "currency": "USD",
    "note": "Careful",
    "lines": "3",
    "revision": "0",
    "line-0-description": "Rocket",
    "line-0-quantity": "2",
    "line-0-unit_price": "19.90",
    "line-2-description": "Fuel",
    "line-2-quantity": "",
    "line-2-unit_price": "0.20",
}


@pytest.fixture
def page(acme: Tenants, switch_on: Make, ada: Make, client_for: Callable[..., Client]) -> Client:
    """Ada, signed in to `acme`, which has enabled orders."""
    switch_on("orders")
    return client_for(acme.acme, ada())


def make(name: str = "Carl", **more: Any) -> Order:
    return services.create(
        OrderInput(name, "carl@example.com", "EUR", (LineInput("Fuel", 1, Decimal(2)),), **more), None
    )


def test_nobody_sees_orders_without_signing_in(page: Client, acme: Tenants, client_for: Callable[..., Client]) -> None:
    order = make()
    stranger = client_for(acme.acme)
    for path in ("", "new/", f"{order.pk}/", f"{order.pk}/edit/"):
        answer = stranger.get(f"{LIST}{path}")
        assert (answer.status_code, "/accounts/login/" in answer["Location"]) == (302, True)
    assert stranger.post(f"{LIST}{order.pk}/confirm/").status_code == 302
    order.refresh_from_db()
    assert order.is_draft


def test_where_the_plugin_is_off_there_is_no_page(
    page: Client, acme: Tenants, ada: Make, client_for: Callable[..., Client]
) -> None:
    from plugin_framework.tenancy import tenant_scope

    order = make()
    with tenant_scope(acme.globex):
        gil = ada("gil@globex.example")
    for path in ("", "new/", f"{order.pk}/"):
        assert client_for(acme.globex, gil).get(f"{LIST}{path}").status_code == 404
    lifecycle.disable("orders", SYSTEM)
    assert page.get(LIST).status_code == 404
    assert page.post(f"{LIST}{order.pk}/confirm/").status_code == 404


def test_an_empty_list_says_what_to_do(page: Client) -> None:
    answer = page.get(LIST)
    assert answer.status_code == 200
    assert b"There are no orders yet" in answer.content
    assert b"/apps/orders/new/" in answer.content


def test_the_list_is_searched_and_filtered(page: Client) -> None:
    make("Zoe")
    services.confirm(make("Yann").pk, None)
    both = page.get(LIST).content
    assert b"Zoe" in both
    assert b"Yann" in both
    assert b"Zoe" not in page.get(LIST, {"q": "yann"}).content
    assert b"Yann" not in page.get(LIST, {"state": "draft"}).content
    assert b"No order fits" in page.get(LIST, {"q": "nobody"}).content


@pytest.mark.parametrize(
    "query",
    [
        {"q": "\x00"},
        {"q": "x" * 5000},
        {"q": "%_\\'\""},
        {"q": "9" * 99},
        {"state": "bogus"},
        {"page": "-1"},
        {"page": "x"},
        {"page": "9" * 50},
    ],
)
def test_an_odd_query_is_answered(page: Client, query: dict[str, str]) -> None:
    make()
    assert page.get(LIST, query).status_code == 200


def test_a_long_list_has_pages_that_keep_the_search(page: Client) -> None:
    for number in range(PAGE + 1):
        make(f"Carl{number:02}")
    first = page.get(LIST, {"q": "carl"}).content.decode()
    assert "Carl20" in first
    assert "Carl00" not in first
    assert "q=carl&amp;page=2" in first
    assert "Carl00" in page.get(LIST, {"q": "carl", "page": "2"}).content.decode()


def test_an_order_is_made_from_its_form(page: Client) -> None:
    answer = page.post(f"{LIST}new/", GOOD)
    order = Order.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}{order.pk}/")
    assert (order.customer_name, order.currency, order.note, order.total) == (
        "Carl",
        "USD",
        "Careful",
        Decimal("40.00"),
    )
    assert order.created_by.email == "ada@acme.example"  # type: ignore[union-attr]  # it was made by somebody
    assert [(line.description, line.quantity) for line in order.lines.all()] == [("Rocket", 2), ("Fuel", 1)]
    detail = page.get(answer["Location"]).content.decode()
    assert "40.00 USD" in detail
    assert "was saved as a draft" in detail


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"customer_name": ""}, "Required."),
        ({"customer_email": "nonsense"}, "Must be an e-mail address"),
        ({"customer_name": "x" * 201}, "at most 200 characters"),
        ({"customer_name": "a\x00b"}, "Holds a NUL character"),
        ({"currency": "XXX"}, "Choose one of the options"),
        ({"line-0-unit_price": "-1"}, "Must be at least 0."),
        ({"line-0-unit_price": "1.234"}, "Must have at most 2 decimals."),
        ({"line-0-unit_price": "NaN"}, "Must be a number"),
        ({"line-0-unit_price": ""}, "Required."),
        ({"line-0-quantity": "0"}, "Must be at least 1."),
        ({"line-0-quantity": "100000"}, "Must be at most 99,999."),
        ({"line-0-description": ""}, "Required."),
        ({"note": "x" * 2001}, "at most 2,000 characters"),
    ],
)
def test_bad_input_comes_back_with_its_error_and_all_that_was_typed(
    page: Client, change: dict[str, str], words: str
) -> None:
    answer = page.post(f"{LIST}new/", GOOD | change)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert words in text
    assert not Order.objects.exists()
    for name, value in (GOOD | change).items():
        if len(value) > 2 and value.isalpha() and name not in change:
            assert value in text


def test_what_is_wrong_is_listed_above_the_form_and_leads_to_its_field(page: Client) -> None:
    text = page.post(f"{LIST}new/", GOOD | {"customer_name": "", "line-2-unit_price": "-1"}).content.decode()
    above = text[text.index('class="form-errors"') : text.index("<fieldset")]
    assert '<a href="#id_customer_name">Customer</a>: Required.' in above
    assert '<a href="#id_line-2-unit_price">Line 3: Price</a>: ' in above
    assert 'id="id_line-2-unit_price"' in text


def test_an_order_without_lines_is_not_made(page: Client) -> None:
    bare = {name: value for name, value in GOOD.items() if not name.startswith("line-")}
    answer = page.post(f"{LIST}new/", bare)
    assert b"Add at least one line" in answer.content
    assert not Order.objects.exists()


@pytest.mark.parametrize("lines", ["", "x", "-1", "99999999999999999999", "1000000", "\u0663"])
def test_a_tampered_number_of_lines_is_put_right(page: Client, lines: str) -> None:
    answer = page.post(f"{LIST}new/", GOOD | {"lines": lines})
    assert answer.status_code in (200, 302)
    assert Order.objects.count() == (answer.status_code == 302)


def test_more_lines_keep_what_was_typed(page: Client) -> None:
    text = page.post(f"{LIST}new/", GOOD | {"more": "1", "customer_email": "not yet"}).content.decode()
    assert 'name="line-5-description"' in text
    assert 'name="line-6-description"' not in text
    assert 'value="not yet"' in text
    assert 'value="Rocket"' in text
    assert "Required." not in text
    full = page.post(f"{LIST}new/", GOOD | {"more": "1", "lines": str(MOST_LINES)}).content.decode()
    assert f'name="line-{MOST_LINES}-description"' not in full


def test_a_draft_is_edited_and_a_stale_form_loses_nothing(page: Client) -> None:
    order = make("Before")
    form = page.get(f"{LIST}{order.pk}/edit/").content.decode()
    assert 'value="Before"' in form
    assert 'value="Fuel"' in form
    assert page.post(f"{LIST}{order.pk}/edit/", GOOD | {"revision": "1"}).status_code == 302
    stale = page.post(f"{LIST}{order.pk}/edit/", GOOD | {"revision": "1", "customer_name": "Mine"})
    assert b"Somebody else has changed this order" in stale.content
    assert b'value="Mine"' in stale.content
    order.refresh_from_db()
    assert order.customer_name == "Carl"


def test_confirming_takes_a_post_and_says_what_happened(page: Client) -> None:
    order = make()
    assert page.get(f"{LIST}{order.pk}/confirm/").status_code == 405
    for words in (f"Order {order.pk} is confirmed", "was confirmed already"):
        answer = page.post(f"{LIST}{order.pk}/confirm/", follow=True)
        assert words in answer.content.decode()
    order.refresh_from_db()
    assert order.state == OrderState.CONFIRMED
    assert page.get(f"{LIST}{order.pk}/edit/").status_code == 302
    assert b"Only a draft can be changed" in page.post(f"{LIST}{order.pk}/edit/", GOOD | {"revision": "2"}).content


def test_cancelling_is_final(page: Client) -> None:
    order = make()
    assert b"is cancelled" in page.post(f"{LIST}{order.pk}/cancel/", follow=True).content
    assert b"was cancelled, so it cannot be confirmed" in page.post(f"{LIST}{order.pk}/confirm/", follow=True).content
    detail = page.get(f"{LIST}{order.pk}/").content
    assert b"/confirm/" not in detail
    assert b"/cancel/" not in detail


@pytest.mark.parametrize("number", ["0", "999", "9" * 30])
def test_an_order_that_is_not_there_is_a_404(page: Client, number: str) -> None:
    for path in ("", "edit/"):
        assert page.get(f"{LIST}{number}/{path}").status_code == 404
    for path in ("confirm/", "cancel/", "edit/"):
        assert page.post(f"{LIST}{number}/{path}", GOOD).status_code == 404


def test_what_customers_are_called_is_escaped(page: Client) -> None:
    order = make("<script>alert(1)</script>", note="<b>x</b>")
    for path in (LIST, f"{LIST}{order.pk}/", f"{LIST}{order.pk}/edit/"):
        text = page.get(path).content.decode()
        assert "<script>alert" not in text
        assert "<b>x" not in text
        assert "&lt;script&gt;" in text


def test_the_navigation_leads_to_the_list(page: Client) -> None:
    assert b'href="/apps/orders/"' in page.get(f"{LIST}new/").content


def test_new_orders_start_with_the_tenants_currency(page: Client) -> None:
    configuration.configure("orders", SYSTEM, {"currency": "CHF"})
    assert '<option value="CHF" selected>' in page.get(f"{LIST}new/").content.decode()
