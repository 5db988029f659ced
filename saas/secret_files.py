"""Makes the secrets that a developer has not set, once, and keeps them in files that only the owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def development_secret(folder: Path, name: str) -> str:
    """The secret kept in `folder`/`name`, made if it is not there. Production sets SECRET_KEY and SECRETS_KEYS instead."""
    path = folder / name
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        return _write(path)


def _write(path: Path) -> str:
    """Written beside and linked into place, so that of two processes that start together both read the same one."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
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
