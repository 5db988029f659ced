"""Where the database is: DATABASE_URL, or the embedded server; a mistake is named and never shows the password."""

from __future__ import annotations

from pathlib import Path

import pytest

from saas.postgres import PostgresError, django_database
from saas.postgres.binaries import bin_dir


def test_without_a_url_the_embedded_server_is_meant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("TENANTRY_DATA", "/srv/tenantry")
    found = django_database()
    assert found["NAME"] == found["USER"] == "tenantry"
    assert found["HOST"].endswith("/postgres")


def test_every_part_of_a_url_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:p%40ss@db.example:6543/prod?sslmode=require")
    assert django_database() == {
        "NAME": "prod",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "6543",
        "OPTIONS": {"sslmode": "require"},
    }


def test_a_url_nobody_can_read_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:geheim@[::1/prod")
    with pytest.raises(PostgresError, match="is not of the form") as caught:
        django_database()
    assert "geheim" not in str(caught.value)


def test_a_wrong_pg_bin_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(PostgresError, match="holds no pg_ctl"):
        bin_dir()
