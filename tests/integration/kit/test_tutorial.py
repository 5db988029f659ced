"""The tutorial is executed: every file is written, every command is run, and what it prints is what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.kit.documents import Command, File, NotAStep, fits, steps
from tests.integration.kit.workbench import ROOT, Shell, workbench

TUTORIAL = ROOT / "docs" / "tutorial.md"


def follow(text: str, shell: Shell) -> str:
    """Do what a tutorial says, to its end or to the first step that is not as it says.

    Returns:
        What did not fit, and where; empty if all of it did.
    """
    for step in steps(text):
        if isinstance(step, File):
            path = shell.folder() / step.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, "utf-8")
        elif problem := _run(step, shell):
            return problem
    return ""


def _run(step: Command, shell: Shell) -> str:
    status, printed = shell.run(step.text)
    if bool(status) is not step.fails:
        return f"Block in line {step.line}: `{step.text}` ended with {status}:\n{printed}"
    if step.said is not None and not fits(step.said, printed):
        return f"Block in line {step.line}: `{step.text}` is said to print\n{step.said}\nbut printed\n{printed}"
    return ""


def test_every_step_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    with workbench(tmp_path / "home") as shell:
        wrong = follow(TUTORIAL.read_text("utf-8"), shell)
    assert not wrong, wrong


def test_the_tutorial_has_steps_of_both_kinds() -> None:
    found = list(steps(TUTORIAL.read_text("utf-8")))
    assert sum(isinstance(step, File) for step in found) >= 8
    assert sum(isinstance(step, Command) for step in found) >= 20


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("```console\n$ false\n```\n", "`false` ended with 1"),
        ("```console\n$ echo one\ntwo\n```\n", "is said to print\ntwo\n\nbut printed\none\n"),
        ("```console fails\n$ true\n```\n", "`true` ended with 0"),
        ("```console\n$ cd /\n$ pwd\n/tmp\n```\n", "but printed\n/\n"),
        (
            "Write `a/b.txt`:\n\n```text\nHello\n```\n\n```console\n$ cat a/b.txt\nGoodbye\n```\n",
            "but printed\nHello\n",
        ),
    ],
)
def test_a_step_that_is_not_as_it_says_is_told(text: str, told: str, tmp_path: Path) -> None:
    with workbench(tmp_path / "home") as shell:
        found = follow(text, shell)
    assert told in found


def test_a_block_that_no_reader_could_follow_is_refused() -> None:
    with pytest.raises(NotAStep, match="line 3"):
        list(steps("Some code.\n\n```python\nx = 1\n```\n"))


@pytest.mark.parametrize(
    ("said", "printed", "expected"),
    [
        ("one\n", "one\n", True),
        ("one\n", "one\ntwo\n", False),
        ("…\ntwo\n", "two\n", True),
        ("…\ntwo\n", "one\none\ntwo\n", True),
        ("one\n…\n", "one\ntwo\n", True),
        ("16 passed in …\n", "16 passed in 1.23s\n", True),
        ("16 passed in …\n", "15 passed, 1 failed in 1.23s\n", False),
    ],
)
def test_three_dots_stand_for_what_differs(said: str, printed: str, expected: bool) -> None:
    assert fits(said, printed) is expected
