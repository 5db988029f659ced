"""A schema editor that makes no foreign key across schemas, and gives a name to each constraint of a column that it adds.

With such keys dropping one tenant blocks every reader, creations wait for each other, and Citus refuses them; the field and its
index stay, only the constraint is left out. Citus also refuses ADD COLUMN with a constraint that has no name.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.models import Field, Model


@functools.cache  # asked before every query
def is_shared(label: str) -> bool:
    """Whether the app `label` has its tables in the public schema."""
    config = apps.app_configs.get(label)
    return config is not None and config.name in settings.SHARED_APPS


class TenantSchemaEditor(DatabaseSchemaEditor):
    """Django's editor, minus constraints from a tenant's table to a shared one."""

    _adding: tuple[str, str | None] | None = None  # the table and the column that are being added to it

    def table_sql(self, model: type[Model]) -> tuple[str, list[Any]]:
        self._loosen(model)
        return super().table_sql(model)

    def add_field(self, model: type[Model], field: Field[Any, Any]) -> None:
        self._loosen_field(model, field)
        self._adding = (model._meta.db_table, field.column)
        try:
            super().add_field(model, field)
        finally:
            self._adding = None

    @property
    def sql_check_constraint(self) -> str:  # type: ignore[override]  # Django only reads it
        """Django's template of a column's own check; with a name while the column is being added."""
        return f"{self._named('_check')}CHECK (%(check)s)"

    def _iter_column_sql(self, *args: Any, **kwargs: Any) -> Iterator[str]:
        for part in super()._iter_column_sql(*args, **kwargs):  # type: ignore[misc]  # the stubs omit it
            yield f"{self._named('_uniq')}UNIQUE" if part == "UNIQUE" else part

    def _named(self, suffix: str) -> str:
        if self._adding is None:
            return ""
        table, column = self._adding
        name = self._create_index_name(table, [column], suffix=suffix)  # type: ignore[attr-defined]  # the same
        return f"CONSTRAINT {self.quote_name(name)} "

    def alter_field(
        self, model: type[Model], old_field: Field[Any, Any], new_field: Field[Any, Any], strict: bool = False
    ) -> None:
        self._loosen_field(model, old_field)
        self._loosen_field(model, new_field)
        super().alter_field(model, old_field, new_field, strict)

    def _loosen(self, model: type[Model]) -> None:
        for field in model._meta.local_fields:
            self._loosen_field(model, field)

    @staticmethod
    def _loosen_field(model: type[Model], field: Any) -> None:
        """`field` belongs to a migration's throw-away model, so changing it here changes no model of the program."""
        target = getattr(field, "remote_field", None) and field.related_model
        if target and is_shared(target._meta.app_label) and not is_shared(model._meta.app_label):
            field.db_constraint = False
