"""Switches of the environment: on, off, or an error that names the variable."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from saas.switches import switch


@pytest.mark.parametrize(("value", "on"), [("1", True), ("True", True), (" on ", True), ("", False), ("no", False)])
def test_a_switch_is_on_or_off(value: str, on: bool) -> None:
    assert switch(value, "CITUS") is on


def test_a_slip_of_the_pen_is_an_error_that_names_the_variable() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"CITUS is 'ture'; set it to true or false\."):
        switch("ture", "CITUS")
