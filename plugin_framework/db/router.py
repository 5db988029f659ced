"""Says in which schemas an app's tables live, for Django's migration machinery; and lets no object of one tenant be used in another.

Django asks a router before each use of a model, and tells it the object that the use begins with. The name of the database that it
gets in answer goes into that object (`_state.db`): so the name carries the schema, and whatever was loaded or saved in one tenant is
known for its tenant's wherever it is saved, deleted, loaded again or followed from.

A queryset is not marked: one that stands in a class belongs to whoever reads it. It reads the tenant that is current when it is read.
"""

from __future__ import annotations

import functools
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from plugin_framework import tenancy
from plugin_framework.db.schema import is_shared
from plugin_framework.sdk import NoTenant


class OtherTenant(NoTenant):
    """An object of one tenant was about to be used in another. Load it in the scope that uses it."""


class Alias(str):
    """The name of the one database, with the schema for which it was asked."""

    __slots__ = ("schema",)
    schema: str

    def __reduce__(self) -> tuple[Any, ...]:
        return alias, (self.schema,)


@functools.lru_cache(maxsize=4096)
def alias(schema: str) -> Alias:
    """The database's name as it is known in `schema`."""
    made = Alias(DEFAULT_DB_ALIAS)
    made.schema = schema
    return made


class SchemaRouter:
    """Shared apps in the public scope, all others in a tenant's, nothing at all outside of a scope."""

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool:
        scope = tenancy.current_scope()
        if scope is None:
            return False
        return is_shared(app_label) is (scope.tenant is None)

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        """The database, named for the current scope.

        Raises:
            NoTenant: a shared table outside of every scope; others PostgreSQL itself does not find there. OtherTenant: the
                object that this begins with belongs to another tenant.
        """
        scope = tenancy.current_scope()
        shared = is_shared(model._meta.app_label)
        if shared and scope is None:
            raise NoTenant
        if shared or scope is None or scope.tenant is None:
            return DEFAULT_DB_ALIAS
        here = scope.tenant.schema
        there = _schema_of(hints.get("instance"))
        if there is not None and there != here:
            raise OtherTenant(f"An object of {there} was about to be used in {here} ({model._meta.label}).")
        return alias(here)

    db_for_write = db_for_read

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool | None:
        """No object of one tenant refers to one of another; Django says so with a ValueError."""
        schemas = {_schema_of(one), _schema_of(other)} - {None}
        return False if len(schemas) > 1 else None


def _schema_of(instance: Any) -> str | None:
    return getattr(getattr(getattr(instance, "_state", None), "db", None), "schema", None)
