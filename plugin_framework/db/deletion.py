"""Lets a host row be deleted in a tenant that lacks a plugin's tables, whatever that plugin's foreign keys say.

Django's collector would look for rows pointing at the deleted one in every installed model, and fail on a table that is not in
this schema. It finds none there instead; plugin authors write ordinary models.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Model
from django.db.models.deletion import Collector


def guard_collector() -> None:
    """Teach Django's collector, once per process, that a plugin's table may be absent."""
    original = Collector.related_objects
    if getattr(original, "knows_absent_tables", False):
        return

    def related_objects(self: Collector, related_model: type[Model], related_fields: Any, objs: Any) -> Any:
        if _is_absent(related_model):
            return related_model._base_manager.none()
        return original(self, related_model, related_fields, objs)

    related_objects.knows_absent_tables = True  # type: ignore[attr-defined]  # marks that the guard is in place
    Collector.related_objects = related_objects  # type: ignore[method-assign]  # Django offers no hook for this


def _is_absent(model: type[Model]) -> bool:
    if model._meta.app_config.name not in settings.PLUGIN_APPS:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NULL", [connection.ops.quote_name(model._meta.db_table)])
        return bool(cursor.fetchone()[0])
