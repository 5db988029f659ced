"""A schema editor that makes no foreign key across schemas.

With such keys dropping one tenant blocks every reader, creations wait for each other, and Citus refuses them; the field and its
index stay, only the constraint is left out.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.models import Field, Model


def is_shared(label: str) -> bool:
    """Whether the app `label` has its tables in the public schema."""
    return apps.get_app_config(label).name in settings.SHARED_APPS


class TenantSchemaEditor(DatabaseSchemaEditor):
    """Django's editor, minus constraints from a tenant's table to a shared one."""

    def table_sql(self, model: type[Model]) -> tuple[str, list[Any]]:
        self._loosen(model)
        return super().table_sql(model)

    def add_field(self, model: type[Model], field: Field[Any, Any]) -> None:
        self._loosen_field(model, field)
        super().add_field(model, field)

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
