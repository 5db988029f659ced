"""A child's record in shared memory, and the worker's options."""

from __future__ import annotations

import os

import pytest

from plugin_framework.delivery.options import Options
from plugin_framework.delivery.rows import table
from plugin_framework.delivery.slots import Held, allocate


def test_what_a_child_notes_is_there_after_it_has_died() -> None:
    slot = allocate(3)[1]
    pid = os.fork()
    if pid == 0:
        slot.take_lane("t_acme", "plugin" * 16, 2**40, 10.0, 20.0)
        slot.begin(77, 5.0, 9.0)
        os._exit(0)
    os.waitpid(pid, 0)
    assert slot.held == Held("t_acme", "plugin" * 16, 2**40, 77, 5.0)
    assert slot.overdue(9.5)
    assert not slot.overdue(8.5)
    assert slot.stuck(6.5, 1.0)
    assert not slot.stuck(5.5, 1.0)


def test_a_lane_without_a_delivery_names_none() -> None:
    slot = allocate(1)[0]
    assert slot.held is None
    slot.take_lane("t_acme", "mail", 1, 10.0, 20.0)
    slot.begin(77, 5.0, 9.0)
    slot.end(30.0)
    assert slot.held == Held("t_acme", "mail", 1, 0, 5.0)
    slot.leave_lane()
    assert slot.held is None
    assert not slot.overdue(100.0)


@pytest.mark.parametrize(
    "wrong", [{"children": 0}, {"soft_limit": 10, "hard_limit": 10}, {"soft_limit": 0}, {"lease": 0}, {"poll": -1}]
)
def test_impossible_options_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must|needs"):
        Options(**wrong)  # type: ignore[arg-type]  # one bad value at a time


@pytest.mark.parametrize("name", ["", 't"x', "T_ACME", "a b", "t_x; drop schema public", "x" * 64, "t_é"])
def test_only_a_schemas_name_is_put_into_sql(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a tenant's schema"):
        table(name)


def test_a_child_sees_when_another_had_work_for_somebody_for_whom_few_waited() -> None:
    mine, other = allocate(2)
    assert not mine.others_had_few(99.9)
    mine.has_few(100.0)
    assert not mine.others_had_few(99.9), "its own few are nobody else's"
    other.has_few(100.0)
    assert mine.others_had_few(99.9)
    assert not mine.others_had_few(100.1), "that was before"
    other.take_lane("t_globex", "mail", 2, 200.0, 200.0)
    other.leave_lane()
    assert mine.others_had_few(99.9), "it stays so when it takes up something else"
