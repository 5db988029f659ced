"""Development secrets are made once and kept private; a key that can be guessed does not start."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from saas.secret_files import development_secret, long_enough


def test_all_who_ask_at_once_get_the_same_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: development_secret(tmp_path / "data", "key"), range(32)))
    assert len(found) == 1
    assert len(found.pop()) >= 48
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["key"]


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    development_secret(tmp_path, "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_a_short_key_is_refused_and_not_repeated() -> None:
    with pytest.raises(ImproperlyConfigured, match="SECRETS_KEYS holds a key of fewer than 32 characters") as caught:
        long_enough("SECRETS_KEYS", ["x" * 40, "geheim"])
    assert "geheim" not in str(caught.value)
