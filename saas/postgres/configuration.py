"""Which database this installation uses, from the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from saas.postgres.cluster import USER, Cluster
from saas.postgres.errors import PostgresError
from saas.postgres.files import PORT

_CHECKOUT = Path(__file__).resolve().parents[2]
_NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


def default_cluster() -> Cluster:
    """The embedded server in the data folder (TENANTRY_DATA, or `.data` beside the program)."""
    return Cluster(Path(os.environ.get("TENANTRY_DATA") or _CHECKOUT / ".data") / "postgres")


def django_database() -> dict[str, Any]:
    """Where the database is, as Django's DATABASES wants it: DATABASE_URL, or the embedded server.

    Raises:
        PostgresError: DATABASE_URL cannot be read; its password is not repeated.
    """
    url = os.environ.get("DATABASE_URL")
    if not url:
        return {"NAME": USER, "USER": USER, "HOST": str(default_cluster().socket_dir), "PORT": str(PORT)}
    try:
        found = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise PostgresError("DATABASE_URL is not of the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE.") from None
    known = {_NAMES[name]: value for name, value in found.items() if name in _NAMES}
    return {**known, "OPTIONS": {name: value for name, value in found.items() if name not in _NAMES}}
