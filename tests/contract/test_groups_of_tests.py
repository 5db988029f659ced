"""What shares something dear, such as a running demo, is run in one process; a runner that forgets that says nothing of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

GROUP = """
import os, pathlib, pytest
pytestmark = pytest.mark.xdist_group("together")

@pytest.mark.parametrize("number", range(6))
def test_it(number):
    pathlib.Path(__file__).with_name(f"ran-in-{os.getpid()}").touch()
"""


def test_the_tests_of_a_group_run_in_one_process(tmp_path: Path) -> None:
    (tmp_path / "test_group.py").write_text(GROUP)
    run = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "-p", "no:django", "-c", "none.ini"]
    (tmp_path / "none.ini").write_text("[pytest]\n")
    done = subprocess.run([*run, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(tmp_path.glob("ran-in-*"))) == 1, done.stdout
