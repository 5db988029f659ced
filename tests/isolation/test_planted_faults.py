"""Each of fifteen planted faults makes the smallest part of the suite that should find it fail, and say what is wrong.

Each runs in a process of its own, whose program is broken (see `planted`); in the tests themselves nothing is changed. A few are
tried here, all of them, and the same tests on the unbroken program, by `make test-storm`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.isolation.storm.checker import Kind

ROOT = Path(__file__).resolve().parents[2]
ALL = os.environ.get("PLANTED_FAULTS") == "all"
QUICK = {"with_tenant", "stale_path", "cached_plugins", "bare_cache_key"}  # tried with all other tests


@dataclass(frozen=True, slots=True)
class Trial:
    """The tests that should find a fault, and the words in which they then say so."""

    tests: str
    words: str
    size: dict[str, str] = field(default_factory=dict)


_STORMY = {"ISOLATION_TENANTS": "4", "ISOLATION_REQUESTS": "1500", "ISOLATION_SIGN_UPS": "1"}
# The storm has to find those that mix up what runs at the same time; which, says the kind of the checker.
STORMS = {
    "shared_decorator": Kind.WRONG_PATH,
    "with_tenant": Kind.WRONG_PATH,
    "stale_path": Kind.WRONG_PATH,
    "bare_cache_key": Kind.FOREIGN,
}
_LOCKSTEP = "tests/isolation/test_threads_in_lockstep.py::test_"
_LANES = "tests/integration/delivery/test_lanes.py::test_"
_STORM = "tests/faults/test_storm.py::test_"
_LITTLE = {"STORM_EVENTS": "40", "STORM_KILLS": "2", "STORM_TENANTS": "2"}
TRIALS = {
    "shared_decorator": Trial(
        f"{_LOCKSTEP}whoever_leaves_a_scope_is_where_they_were_before", "was at acme and is at globex"
    ),
    "with_tenant": Trial(
        f"{_LOCKSTEP}whoever_leaves_a_scope_is_where_they_were_before", "was at acme and is at globex"
    ),
    "stale_path": Trial(
        "tests/integration/tenancy/test_search_path.py::test_going_back_to_a_savepoint_of_another_scope_does_not_bring_its_path_back",
        "assert '\"t_",
    ),
    "cached_plugins": Trial(
        "tests/integration/engine/test_active_set.py::test_a_change_is_seen_by_the_next_scope_and_not_by_a_running_one",
        "AssertionError: assert 'alpha' in ",
    ),
    "broadcast": Trial(
        "tests/integration/engine/test_hooks.py::test_a_tenant_that_enabled_nothing_runs_nothing",
        "AssertionError: assert ['alpha heard",
    ),
    "bare_cache_key": Trial(
        "tests/integration/throttle/test_cache.py::test_every_stored_key_says_whose_it_is",
        "AssertionError: assert {''} == {",
    ),
    "shared_sessions": Trial(
        "tests/isolation/test_sessions_stay_at_home.py::test_what_one_organisation_keeps_in_a_session_no_other_finds",
        "assert 'only for acme' is None",
    ),
    "unsalted_tokens": Trial(
        "tests/integration/accounts/test_bound_to_the_tenant.py::test_a_password_reset_link_opens_nothing_in_another_organisation",
        "assert not True",
    ),
    "fetching_registry": Trial(
        "tests/unit/plugin_framework/config/test_nothing_is_fetched.py::test_a_schema_that_refers_to_a_file_does_not_read_it",
        "DID NOT RAISE",
    ),
    "global_is_enough": Trial(
        "tests/unit/plugin_framework/sdk/net/test_addresses.py::test_an_address_that_is_not_public_is_named_for_what_it_is",
        "assert 'multicast' in ((None or 'it passed'))",
    ),
    "adopted_schema": Trial(
        "tests/isolation/test_no_schema_is_adopted.py::test_a_schema_that_is_there_already_is_not_taken_over",
        "DID NOT RAISE",
    ),
    "on_commit_dispatch": Trial(
        f"{_STORM}what_clients_were_answered_is_kept_and_no_more_when_they_are_killed[after_commit]",
        "an event of a committed transaction has not arrived",
        _LITTLE,
    ),
    "endless_lease": Trial(
        f"{_LANES}a_lane_whose_lease_has_run_out_is_claimed_with_a_newer_fence_and_the_older_changes_nothing",
        "assert None is not None",
    ),
    "no_fence": Trial(
        f"{_LANES}a_lane_whose_lease_has_run_out_is_claimed_with_a_newer_fence_and_the_older_changes_nothing",
        "assert not True",
    ),
    "early_mark": Trial(
        f"{_STORM}nothing_is_lost_and_nothing_comes_of_nothing_when_workers_are_killed",
        "an event of a committed transaction has not arrived",
        {**_LITTLE, "STORM_PLACE": "before_send"},
    ),
}


def run(tests: list[str], fault: str = "", **size: str) -> subprocess.CompletedProcess[str]:
    """Run `tests` with `fault` planted, and everything as it was asked for otherwise."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "STORM", "PLANTED", "ISOLATION"))
    }
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", *tests]
    env = {**own, **size, **({"PLANTED": fault} if fault else {})}
    return subprocess.run(command, cwd=ROOT, env=env, text=True, capture_output=True, timeout=900)


@pytest.mark.usefixtures("template_database")  # made by the sound program
@pytest.mark.parametrize("fault", TRIALS if ALL else sorted(QUICK))
def test_a_planted_fault_is_found(fault: str, counted: Callable[[str, int], None]) -> None:
    trial = TRIALS[fault]
    ended = run([trial.tests], fault, **trial.size)
    assert f"Planted: {fault}\n" in ended.stderr
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout
    assert trial.words in ended.stdout, ended.stdout
    counted(f"{fault}: found", 1)


@pytest.mark.usefixtures("template_database")
@pytest.mark.parametrize("fault", STORMS if ALL else [])
def test_the_storm_finds_it_too(fault: str, counted: Callable[[str, int], None]) -> None:
    ended = run(["tests/isolation/test_isolation_storm.py"], **_STORMY, ISOLATION_PLANTED=fault)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout
    assert f"'{STORMS[fault]}': " in ended.stdout, ended.stdout
    counted(f"{fault}: found by the storm", 1)


def test_there_is_a_trial_for_each_fault_and_there_are_fifteen() -> None:
    modules = {path.stem for path in (ROOT / "tests/isolation/planted").glob("*.py")}
    assert set(TRIALS) == modules - {"__init__", "apps", "surgery"}
    assert len(TRIALS) == 15


def test_without_a_fault_the_same_tests_pass(counted: Callable[[str, int], None]) -> None:
    """Here only that they are there under these names: they are among all other tests, where each passes for itself."""
    rounds = _tests_by_size() if ALL else {(): ["--collect-only", *{trial.tests for trial in TRIALS.values()}]}
    for size, tests in rounds.items():
        ended = run(tests, **dict(size))
        assert ended.returncode == pytest.ExitCode.OK, ended.stdout
    counted("of these tests fail without a fault", 0)


def _tests_by_size() -> dict[tuple[tuple[str, str], ...], list[str]]:
    """Each of the tests once in each size in which a fault is tried with it."""
    found: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for trial in TRIALS.values():
        tests = found.setdefault(tuple(trial.size.items()), [])
        if trial.tests not in tests:
            tests.append(trial.tests)
    return found
