"""A schema that is there already is taken for a new tenant, with all that it holds; as django-tenants' `create_schema` does."""

from __future__ import annotations

from plugin_framework.db import schemas
from tests.isolation.planted.surgery import rewrite


def plant() -> None:
    """Be content with what is there."""
    plain = 'if not settings.CITUS:\n            cursor.execute(f"CREATE SCHEMA '
    rewrite(schemas.create_schema, plain, f"{plain}IF NOT EXISTS ")
