"""Numbers that come from the environment: a slip there must not delete everything, or make every request connect anew."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from saas.periods import MOST_DAYS, at_least_one, days


@pytest.mark.parametrize("number", [1, 30, MOST_DAYS])
def test_a_number_of_days_is_taken_as_it_is(number: int) -> None:
    assert days(number, "KEEP") == number


@pytest.mark.parametrize("number", [0, -1, MOST_DAYS + 1])
def test_none_less_than_none_and_more_than_a_century_stop_the_start(number: int) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"KEEP is {number}; set it to a number of days from 1"):
        days(number, "KEEP")


def test_a_number_that_must_be_one_is_at_least_that() -> None:
    assert at_least_one(1, "MOST") == 1
    with pytest.raises(ImproperlyConfigured, match="MOST is 0; set it to 1 or more"):
        at_least_one(0, "MOST")
