"""What an archive consists of: a zip file with the rows of each table, the files, and a signed manifest that names all of it.

The manifest is believed only when its signature, made with a key derived from SECRETS_KEYS, is right; then it says of each
member how long it is and what its checksum is. So nothing of an archive that was damaged, or made by somebody else, is even unpacked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
MOST_MANIFEST = 64 * 1024 * 1024  # bytes, which are in memory; enough for a quarter of a million files
BLOCK = 1024 * 1024  # bytes read and written at a time


class BadArchive(ValueError):
    """This file cannot be restored; the text says what is wrong with it. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Member:
    """A part of the archive: its name in the zip file, how many bytes it has, and their SHA-256 in hexadecimal digits."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the schema: `columns` with their types, as COPY takes them, and how many rows are in its member."""

    name: str
    columns: tuple[tuple[str, str], ...]
    rows: int
    member: Member


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column with sealed secrets of a plugin, and under which name they are sealed."""

    plugin: str
    table: str
    column: str
    field: str


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that the tenant had; `tables` are those of its own."""

    name: str
    version: str
    app_label: str
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the tenant was: its `hosts`, the primary one first; `state` is active or suspended; `logo` is the name of one of its files."""

    schema: str
    slug: str
    name: str
    hosts: tuple[str, ...]
    state: str
    state_message: str
    timezone: str = "UTC"  # what archives made by 1.0 do not name
    logo: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that an archive holds, and what the shared tables say of the tenant.

    Attributes:
        version: of Tenantry. `made_at`: ISO 8601.
        migrations: those recorded in the schema, as (app, name).
        tables: in an order in which no row needs one of a later table.
        sequences: the last value of each, by name. `counters`: the same of the shared ones whose numbers stand in its rows.
        plan: "" for none. `grants`: plugins that are offered to it by name. `paused`: who has paused the deliveries of which plugin.
    """

    version: str
    made_at: str
    tenant: Identity
    migrations: tuple[tuple[str, str], ...]
    plugins: tuple[Plugin, ...]
    tables: tuple[Table, ...]
    sequences: Mapping[str, int]
    counters: Mapping[str, int]
    sealed: tuple[Sealed, ...]
    plan: str
    grants: tuple[str, ...]
    paused: Mapping[str, str]
    files: tuple[Member, ...] = ()
    format: int = field(default=FORMAT)

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(table.rows for table in self.tables)

    def members(self) -> list[Member]:
        """All but the manifest itself."""
        return [*(table.member for table in self.tables), *self.files]

    def to_json(self) -> bytes:
        """As it is signed and stored."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False).encode()


def from_json(text: bytes) -> Manifest:
    """What `to_json` wrote. Call it with what has the right signature only: it is our own writing then.

    Raises:
        BadArchive: it is of another format.
    """
    try:
        found: dict[str, Any] = json.loads(text)
        version, number = found.get("version"), found.pop("format")
    except (ValueError, KeyError, AttributeError) as error:
        raise BadArchive("Its manifest cannot be read.") from error
    if number != FORMAT:
        raise BadArchive(
            f"It is of format {number}, made by Tenantry {version}, and this version reads format {FORMAT} only."
        )
    try:
        return Manifest(**_typed(found))
    except (TypeError, KeyError) as error:
        raise BadArchive(f"Its manifest, made by Tenantry {version}, lacks something: {error}.") from error


def _typed(found: dict[str, Any]) -> dict[str, Any]:
    tenant = found["tenant"]
    return {
        **found,
        "tenant": Identity(**{**tenant, "hosts": tuple(tenant["hosts"])}),
        "migrations": tuple((app, name) for app, name in found["migrations"]),
        "plugins": tuple(Plugin(**{**each, "tables": tuple(each["tables"])}) for each in found["plugins"]),
        "tables": tuple(_table(each) for each in found["tables"]),
        "sealed": tuple(Sealed(**each) for each in found["sealed"]),
        "grants": tuple(found["grants"]),
        "files": tuple(Member(**each) for each in found["files"]),
    }


def _table(found: dict[str, Any]) -> Table:
    columns = tuple((name, kind) for name, kind in found["columns"])
    return Table(found["name"], columns, found["rows"], Member(**found["member"]))
