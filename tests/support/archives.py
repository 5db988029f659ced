"""Archives as tests look at them: what is in them, in a form in which a tenant is the same under any schema."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection

from plugin_framework import files
from plugin_framework.settings_store import box
from plugin_framework.tenancy import public_scope
from tenants.models import Tenant

_SEALED = re.compile(r"v1:[0-9a-f]{8}:[A-Za-z0-9_=-]+")
_ABOUT_IT = re.compile(r"\btenant\.(exported|deleted|undeleted|restored)\b")


def manifest(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        found: dict[str, Any] = json.loads(archive.read("manifest.json"))
        return found


def normalised(path: Path) -> dict[str, object]:
    """Rows, files and the rest; without what the exports and restores themselves have left, and with sealed secrets made equal."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.startswith(("data/", "files/"))]
        parts: dict[str, object] = {name: _lines(archive.read(name).decode()) for name in names}
    found = manifest(path)
    kept = ("plan", "grants", "paused", "plugins", "migrations", "sealed")
    found["migrations"] = sorted(map(tuple, found["migrations"]))  # not in the order in which they were applied
    tables = {each["name"]: each["columns"] for each in found["tables"]}
    hosts = {key: found["tenant"][key] for key in ("slug", "name", "hosts", "state", "state_message")}
    own = {name: value for name, value in found["sequences"].items() if "auditentry" not in name}
    return {**parts, **{key: found[key] for key in kept}, "tables": tables, "tenant": hosts, "sequences": own}


def _lines(text: str) -> list[str]:
    return [
        _SEALED.sub("SEALED", line)
        for line in text.splitlines()
        if not re.search(r"\btenant\.(exported|deleted|undeleted|restored)\b", line)
    ]


def rewritten(path: Path, to: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> Path:
    """The archive with something changed by somebody who has the keys: `change` is given its manifest and its other members."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if not name.startswith("manifest.")}
    found = manifest(path)
    change(found, parts)
    text = json.dumps(found).encode()
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", text)
        archive.writestr("manifest.sig", box().sign(text))
    return to


def member(name: str, data: bytes) -> dict[str, Any]:
    """How the manifest names a member."""
    return {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Schemas, tenants and folders with files are the same afterwards."""
    before = shape()
    yield
    assert shape() == before


def shape() -> tuple[list[str], list[str], list[str]]:
    """All schemas and tenants, and all folders with files."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT nspname::text FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' ORDER BY 1")
        schemas = [name for (name,) in cursor.fetchall()]
        root = files.folder("t_x").parent
        folders = sorted(path.name for path in root.iterdir()) if root.exists() else []
        return schemas, list(Tenant.objects.values_list("slug", flat=True)), folders
