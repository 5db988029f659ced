"""Failpoints: nothing at all unless asked for, and never a silent misspelling."""

from __future__ import annotations

import pytest

from plugin_framework.delivery import failpoints
from plugin_framework.delivery.failpoints import Armed


def test_without_the_variable_a_failpoint_does_nothing_even_under_an_unknown_name() -> None:
    assert failpoints.make("")("no_such_place") is None  # type: ignore[func-returns-value]  # that is the point


def test_names_actions_and_counts_are_read() -> None:
    assert failpoints.parse("after_claim:kill*2, after_mark:kill_worker") == {
        "after_claim": Armed("kill", 2),
        "after_mark": Armed("kill_worker"),
    }


@pytest.mark.parametrize("text", ["after_clam:kill", "after_claim", "after_claim:bite", "after_claim:kill*x"])
def test_a_misspelt_failpoint_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"failpoint|invalid literal"):
        failpoints.make(text)
