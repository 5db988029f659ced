"""Counts of several processes: added up, kept after SIGKILL, never mixed with another version's, never in the way."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from plugin_framework import metrics
from plugin_framework.metrics import seats
from plugin_framework.metrics.names import ATTEMPTS, COUNTED, HOOKS, SHORT

ROOT = Path(__file__).resolve().parents[4]
DONE = (ATTEMPTS.name, ("mail", "done", "done"))
COUNT = """
import os, signal, sys
from django.conf import settings
settings.configure(METRICS_DIR=sys.argv[1])
from plugin_framework import metrics
from plugin_framework.metrics.names import ATTEMPTS
def count(): metrics.counted(ATTEMPTS, "mail", "done", "done")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where this process counts meanwhile."""
    metrics.forget()
    with override_settings(METRICS_DIR=tmp_path / "counts"):
        yield tmp_path / "counts"
        metrics.forget()


def run(folder: Path, code: str) -> int:
    """What a process of its own ends with that runs `code`, in which `count()` counts one."""
    return subprocess.run([sys.executable, "-c", COUNT + code, str(folder)], cwd=ROOT, timeout=60).returncode


def done(folder: Path) -> float:
    return seats.read(folder)[DONE][0]


def test_what_several_processes_count_is_added_up(folder: Path) -> None:
    metrics.counted(ATTEMPTS, "mail", "done", "done")
    assert run(folder, "count(); count()") == 0
    assert done(folder) == 3
    assert len(list(folder.iterdir())) == 2


def test_a_killed_process_leaves_what_it_counted_and_the_next_one_goes_on_from_there(folder: Path) -> None:
    for _ in range(3):
        assert run(folder, "count(); os.kill(os.getpid(), signal.SIGKILL)") == -signal.SIGKILL
    assert done(folder) == 3
    assert len(list(folder.iterdir())) == 1


def test_a_forked_child_counts_for_itself(folder: Path) -> None:
    child = "count(); count(); os._exit(0)"
    assert run(folder, f"count()\nif os.fork() == 0: {child}\nos.wait(); count()") == 0
    assert done(folder) == 4
    assert len(list(folder.iterdir())) == 2


def test_a_child_that_ends_leaves_its_parents_seat_to_the_parent(folder: Path) -> None:
    other = "subprocess.run([sys.executable, '-c', code, sys.argv[1]])"
    code = f"import subprocess; code = {COUNT + 'count()'!r}; {other}"
    assert run(folder, f"count()\nif os.fork() == 0: os._exit(0)\nos.wait(); {code}; count()") == 0
    assert done(folder) == 3
    assert len(list(folder.iterdir())) == 2


def test_another_versions_numbers_are_left_out_and_their_place_is_used(folder: Path) -> None:
    assert run(folder, "count()") == 0
    (seat,) = folder.iterdir()
    content = bytearray(seat.read_bytes())
    content[0] ^= 1
    seat.write_bytes(content)
    assert seats.read(folder) == {}
    metrics.counted(ATTEMPTS, "mail", "done", "done")
    assert done(folder) == 1
    assert len(list(folder.iterdir())) == 1


def test_a_file_that_is_being_made_is_no_trouble_for_who_reads(folder: Path) -> None:
    metrics.counted(ATTEMPTS, "mail", "done", "done")
    (folder / "seat-0001").write_bytes(b"")
    (folder / "seat-0002").write_bytes(bytes(10))
    assert done(folder) == 1


def test_more_than_one_block_of_them_is_kept(folder: Path) -> None:
    many = 2 * seats.BLOCK // seats.RECORD + 5
    for number in range(many):
        metrics.counted(ATTEMPTS, f"p{number}", "done", "done")
    metrics.forget()  # the next count finds them in the file
    for number in range(many):
        metrics.counted(ATTEMPTS, f"p{number}", "done", "done")
    totals = seats.read(folder)
    assert len(totals) == many
    assert {numbers[0] for numbers in totals.values()} == {2.0}
    assert len(list(folder.iterdir())) == 1


def test_the_disk_has_room_for_all_of_a_file_before_it_is_used(folder: Path) -> None:
    metrics.counted(ATTEMPTS, "mail", "done", "done")
    (seat,) = folder.iterdir()
    assert seat.stat().st_blocks * 512 >= seats.BLOCK, "a page without room would kill the process that writes to it"


def test_without_a_folder_nothing_is_counted_and_the_log_says_so_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write_text("a file stands here")
    for _ in range(3):
        metrics.counted(ATTEMPTS, "mail", "done", "done")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "METRICS_DIR" in record.getMessage()


def test_a_call_that_was_timed_is_not_counted_again_as_a_short_one(folder: Path) -> None:
    metrics.took_longer("mail", "knock", 0.2)
    metrics.went_through("knock", ["mail", "slack"], 5)
    metrics.went_through("knock", ["mail"], 1)
    totals = seats.read(folder)
    mail, slack = totals[HOOKS.name, ("mail", "knock")], totals[HOOKS.name, ("slack", "knock")]
    at = 1 + HOOKS.bounds.index(0.25)
    assert (mail[0], mail[1], mail[at], sum(mail[1:])) == (0.2, 5, 1, 6)
    assert (slack[0], slack[1], sum(slack[1:])) == (0, 5, 5)


@pytest.mark.parametrize(("seconds", "place"), [(SHORT, 1), (0.0011, 2), (30.0, 14), (30.1, 15), (9999.0, 15)])
def test_a_time_stands_in_the_first_bucket_that_holds_it(folder: Path, seconds: float, place: int) -> None:
    metrics.observed(HOOKS, seconds, "mail", "knock")
    numbers = seats.read(folder)[HOOKS.name, ("mail", "knock")]
    assert [at for at, number in enumerate(numbers) if at and number] == [place]


def test_all_metrics_fit_into_a_record() -> None:
    assert all(len(metric.bounds) + 2 <= seats.NUMBERS for metric in COUNTED)
    assert os.sysconf("SC_PAGESIZE") <= seats.BLOCK
