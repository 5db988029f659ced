"""Makes the secrets that a developer has not set, once, and keeps them in files that only the owner can read."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

SHORTEST = 32  # characters of a key


def development_secret(folder: Path, name: str) -> str:
    """The secret kept in `folder`/`name`, made if it is not there. Production sets SECRET_KEY and SECRETS_KEYS instead."""
    path = folder / name
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        return _write(path)


def long_enough(name: str, keys: Iterable[str]) -> None:
    """Refuse to start with a key that can be guessed; the key itself is not repeated.

    Raises:
        ImproperlyConfigured: with the way to make a good one.
    """
    if any(len(key) < SHORTEST for key in keys):
        raise ImproperlyConfigured(
            f"{name} holds a key of fewer than {SHORTEST} characters. Make a new one: openssl rand -base64 36"
        )


def _write(path: Path) -> str:
    """Written beside and linked into place, so that of two processes that start together both read the same one."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(beside, path)
    except FileExistsError:
        pass  # another process was quicker: its secret is the one
    finally:
        beside.unlink()
    return path.read_text().strip()
