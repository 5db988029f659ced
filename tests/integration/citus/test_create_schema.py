"""The one place that makes schemas: plain ones here; with CITUS it asks for a shard and refuses what is none."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import ProgrammingError, connection

from plugin_framework.db.schemas import NotSharded, create_schema
from tenants.names import new_schema_name

ROOT = Path(__file__).resolve().parents[3]


def _exists(schema: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(%s) IS NOT NULL", [schema])
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db
def test_a_schema_is_made_and_never_adopted() -> None:
    schema = new_schema_name()
    create_schema(schema)
    assert _exists(schema)
    with pytest.raises(ProgrammingError, match="already exists"):
        create_schema(schema)


@pytest.mark.django_db
def test_with_citus_a_database_that_is_none_is_refused_and_nothing_is_left(settings: LazySettings) -> None:
    schema = new_schema_name()
    settings.CITUS = True
    with pytest.raises(NotSharded, match=r"manage\.py citus prepare"):
        create_schema(schema)
    assert not _exists(schema)


def test_no_other_code_of_ours_makes_schemas() -> None:
    makers = {
        path.relative_to(ROOT).as_posix()
        for package in ("plugin_framework", "plugins", "saas", "tenants")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("CREATE SCHEMA")
    }
    assert makers == {"plugin_framework/db/schemas.py"}
