"""Every check of the conformance suite was seen to fail, on a plugin that breaks each rule."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from saas.testing.conformance import Conformance
from tests.integration.kit.workbench import workbench

pytestmark = pytest.mark.xdist_group("sloppy")  # one run of the suite is looked at by all of them

RUN = "python -m pytest -q -p no:cacheprovider --tb=no -rA check_conformance.py"
CHECKS = {name for name in vars(Conformance) if name.startswith("test_")}
REASONS = {
    "test_it_says_what_it_is": "give it a `title`",
    "test_its_schema_compiles_and_does_not_depend_on_the_instance": "makes a new dictionary each time",
    "test_every_field_has_a_title": "size has no title",
    "test_its_defaults_are_valid": "more is wrong than what has to be filled in",
    "test_it_starts_and_stops_with_the_least_settings": "pop from empty list",
    "test_it_has_a_readme_that_names_its_settings_and_hooks": "write a README.md",
    "test_it_imports_the_sdk_and_nothing_else_of_ours": "plugin.py imports plugin_framework.lifecycle",
    "test_it_logs_and_never_prints": "plugin.py prints",
    "test_what_it_signs_is_good_in_one_tenant_alone": "plugin.py uses salted_hmac",
    "test_it_reaches_other_hosts_through_the_guard_only": "plugin.py imports socket; use self.http",
    "test_what_sends_says_where_to_and_can_be_tested": "`sends_to` names the hosts",
    "test_hooks_it_handles_and_declares_are_documented": "tell has no docstring",
    "test_its_migrations_are_its_models": "makemigrations would write",
    "test_its_migrations_go_out_while_older_code_serves": "0002_weight: Add field weight to thing: rows that older code adds",
    "test_it_is_enabled_for_one_tenant_alone_and_leaves_nothing_when_it_is_purged": "left_behind",
    "test_its_pages_answer_where_it_runs_and_nowhere_else": "/apps/sloppy/ at acme",
}


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By check, why it failed on the sloppy plugin."""
    home: Path = tmp_path_factory.mktemp("author") / "home"
    with workbench(home) as shell:
        shell.run("export PYTHONPATH=$HOME/tenantry COLUMNS=2000; . tenantry/.venv/bin/activate")
        shell.run("cp -r tenantry/tests/packages/sloppy . && cd sloppy")
        status, printed = shell.run("python -m pip install -q --no-build-isolation --no-index --no-deps -e .")
        assert status == 0, printed
        _, printed = shell.run(RUN)
    return dict(re.findall(r"^FAILED \S+::(\w+) - (.*)$", printed, re.MULTILINE))


def test_there_is_a_reason_for_each_check() -> None:
    assert set(REASONS) == CHECKS


@pytest.mark.parametrize("check", sorted(CHECKS))
def test_a_plugin_that_breaks_the_rule_fails_the_check(check: str, failures: dict[str, str]) -> None:
    assert re.search(REASONS[check], failures[check])
