"""As django-tenants before 4.0.1 with TENANT_LIMIT_SET_CALLS: the path that was set last is believed in after a savepoint's rollback."""

from __future__ import annotations

from django.db.backends.postgresql import base as postgresql

from plugin_framework.db.base import DatabaseWrapper


def plant() -> None:
    """Believe what was set last, and do not forget it when a savepoint takes it back."""
    DatabaseWrapper._server_path = lambda self: self.search_path_set_schemas  # type: ignore[method-assign]  # planted on purpose
    DatabaseWrapper.savepoint_rollback = postgresql.DatabaseWrapper.savepoint_rollback
