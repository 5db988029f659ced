"""`manage.py startplugin NAME`: what it writes works at once, and it never writes over anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from saas.startplugin import NotPossible, problem_with, start_plugin
from tests.dummies.pages import installed
from tests.integration.kit.workbench import ROOT, workbench

PIP = "python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps"


def test_the_package_installs_passes_its_own_tests_and_is_in_the_list(committed_db: str, tmp_path: Path) -> None:
    with workbench(tmp_path / "home") as shell:
        shell.run("export PYTHONPATH=$HOME/tenantry; . tenantry/.venv/bin/activate")
        for command in (
            "mkdir 'my work' && cd 'my work'",
            "python ~/tenantry/manage.py startplugin late_lunch",
            f"{PIP} ./tenantry-late-lunch",  # as a user installs it: not editable
            "python -m pytest -q tenantry-late-lunch",
        ):
            status, printed = shell.run(command)
            assert status == 0, printed
        assert "18 passed" in printed
        status, printed = shell.run(f"DATABASE_URL='{committed_db}' python ~/tenantry/manage.py plugins list")
    assert "late_lunch           0.1.0    everyone" in printed


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "use lower-case letters"),
        ("Kudos", "use lower-case letters"),
        ("1st", "a letter first"),
        ("two__lines", "single underscores"),
        ("tail_", "single underscores"),
        ("with-dash", "use lower-case letters"),
        ("../up", "use lower-case letters"),
        ("naïve", "use lower-case letters"),
        ("line\nbreak", "use lower-case letters"),
        ("x" * 41, "longer than 40 characters"),
        ("tenantry", "reserved for Tenantry"),
        ("orders", "installed already"),
        ("spoilt", "installed already"),
    ],
)
def test_a_name_that_cannot_be_had_is_refused_with_the_reason(name: str, why: str, tmp_path: Path) -> None:
    with installed(quarantined={"spoilt": "it is spoilt"}), pytest.raises(NotPossible, match=why):
        start_plugin(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a", "kudos", "late_lunch", "v2", "x" * 40])
def test_a_name_like_any_plugins_can_be_had(name: str) -> None:
    assert problem_with(name) == ""


def test_a_name_whose_package_is_taken_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tenantry_kudos.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "a Python package tenantry_kudos already" in problem_with("kudos")


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    made = start_plugin("kudos", tmp_path)
    (made / "README.md").write_text("mine")
    with pytest.raises(CommandError, match="is there already, and nothing is overwritten"):
        call_command("startplugin", "kudos", directory=str(tmp_path))
    assert (made / "README.md").read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == ["tenantry-kudos"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotPossible, match=r"There is no folder .*nowhere\. Make it first"):
        start_plugin("kudos", tmp_path / "nowhere")


def test_no_placeholder_is_left_and_no_place_of_this_machine_is_told(tmp_path: Path) -> None:
    made = start_plugin("late_lunch", tmp_path)
    files = [each for each in made.rglob("*") if each.is_file()]
    assert len(files) == 8
    for file in files:
        text = file.read_text("utf-8")
        assert "$" not in text, file
        assert "PACKAGE" not in str(file)
        assert str(ROOT) not in text
