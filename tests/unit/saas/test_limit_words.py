"""What a form's fields say of their limits, Django's own among them: one voice, and numbers as people read them."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.utils import translation

from plugins.orders_plugin.models import Order
from saas.console.forms import PlanForm

LONG = "x" * 12345


@pytest.mark.parametrize(
    ("field", "typed", "english", "german"),
    [
        (
            forms.CharField(max_length=1000),
            LONG,
            "Must have at most 1,000 characters; it has 12,345.",
            "Darf höchstens 1.000 Zeichen haben; es sind 12.345.",
        ),
        (
            forms.CharField(min_length=12),
            "short",
            "Must have at least 12 characters; it has 5.",
            "Muss mindestens 12 Zeichen haben; es sind 5.",
        ),
        (forms.IntegerField(max_value=99_999), "100000", "Must be at most 99,999.", "Darf höchstens 99.999 sein."),
        (forms.FloatField(min_value=0.5), "0.1", "Must be at least 0.5.", "Muss mindestens 0,5 sein."),
        (
            forms.DecimalField(max_digits=5, decimal_places=2),
            "1.234",
            "Must have at most 2 decimals.",
            "Darf höchstens 2 Nachkommastellen haben.",
        ),
        (
            forms.DecimalField(max_digits=5, decimal_places=2),
            "123456",
            "Must have at most 5 digits.",
            "Darf höchstens 5 Stellen haben.",
        ),
        (
            forms.DecimalField(max_digits=5, decimal_places=2),
            "1234.5",
            "Must have at most 3 digits before its decimals.",
            "Darf höchstens 3 Stellen vor dem Komma haben.",
        ),
    ],
    ids=["longest", "shortest", "largest", "smallest", "decimals", "digits", "digits before the decimals"],
)
def test_a_limit_is_said_in_the_readers_language(field: forms.Field, typed: str, english: str, german: str) -> None:
    with pytest.raises(ValidationError) as caught:
        field.clean(typed)
    assert caught.value.messages == [english]
    with translation.override("de"):
        assert caught.value.messages == [german]


def test_a_field_of_a_model_says_it_too() -> None:
    with pytest.raises(ValidationError) as caught:
        Order(customer_name=LONG, currency="EUR").clean_fields()
    limit = Order._meta.get_field("customer_name").max_length
    assert caught.value.message_dict["customer_name"] == [f"Must have at most {limit} characters; it has 12,345."]


def test_a_forms_field_keeps_its_limit_as_a_browser_reads_it() -> None:
    form: Any = PlanForm({"name": "Large", "people": str(10**9 + 1)})
    assert form.errors["people"] == ["Must be at most 1,000,000,000."]
    assert 'max="1000000000"' in str(form["people"])
