"""Settings in words, as their history and a conflict show them."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from saas.site.settings_words import words


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [
        (7.7, "7.7", "7,7"),
        (65535, "65535", "65535"),  # as its control has it
        (True, "yes", "ja"),
        ([0.5, 2], "0.5\n2", "0,5\n2"),
        ("7.7", "7.7", "7.7"),
        ({"a": 1}, '{\n  "a": 1\n}', '{\n  "a": 1\n}'),
    ],
)
def test_a_value_is_said_as_its_reader_would_type_it(value: Any, english: str, german: str) -> None:
    assert words(value) == english
    with translation.override("de"):
        assert words(value) == german
