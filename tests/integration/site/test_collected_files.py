"""`manage.py collectstatic`, as the image runs it: what one account collects, another serves."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_everybody_may_read_what_was_collected_and_each_text_has_a_compressed_copy(tmp_path: Path) -> None:
    folder = tmp_path / "static"
    key = "for-collecting-static-files-only-not-kept"
    own = {
        "STATIC_ROOT": str(folder),
        "SECRET_KEY": key,
        "SECRETS_KEYS": key,
        "DJANGO_SETTINGS_MODULE": "saas.settings",
    }
    command = [sys.executable, "manage.py", "collectstatic", "--noinput"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **own}, check=True, capture_output=True, timeout=120)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o644}
    assert all(path.stat().st_mode & stat.S_IXOTH for path in folder.rglob("*") if path.is_dir())
    sheets = {path for path in files if path.suffix == ".css"}
    assert sheets
    assert {path.with_name(f"{path.name}.gz") for path in sheets} <= set(files)
