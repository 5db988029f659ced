"""Rows say what was measured and whether it is enough, and the table shows it."""

from __future__ import annotations

from bench.report import table
from bench.rows import Reach, compared, counted


def test_the_ratio_is_taken_round_by_round() -> None:
    row = compared("a", "b", [1.0, 10.0, 3.0], [2.0, 20.0, 3.0], Reach("<= 0.5", high=0.5))
    assert (row.ours, row.theirs, row.ratio, row.reached) == (3.0, 3.0, 0.5, True)


def test_how_many_times_as_fast_is_the_other_way_round() -> None:
    row = compared("a", "b", [1.0], [12.0], Reach(">= 10 x", low=10.0), faster=True)
    assert (row.ratio, row.spread, row.reached) == (12.0, (12.0, 12.0), True)


def test_a_ratio_out_of_reach_says_so_on_either_side() -> None:
    flat = Reach("0.90 to 1.10", 0.9, 1.1)
    assert [flat.holds(ratio) for ratio in (0.89, 0.9, 1.1, 1.11)] == [False, True, True, False]


def test_the_table_is_aligned_and_shows_what_was_not_reached() -> None:
    rows = [
        counted("statements", "peer", 2, 3, most=1),
        compared("call", "a peer with a long name", [1.0], [0.5], Reach("> 1", low=1.0), faster=True),
        compared("for information", "peer", [1.0], [3.0]),
    ]
    head, rule, first, second, third = table(rows).splitlines()
    assert set(rule) == {"-"}
    assert first.index("NOT REACHED") == second.index("NOT REACHED")
    assert first.index("3") == second.index("0.50 us") == third.index("3.00 us") == head.index("peer's")
    assert "reached" not in third.lower()
