"""Says in which schemas an app's tables live, for Django's migration machinery."""

from __future__ import annotations

from typing import Any

from plugin_framework import tenancy
from plugin_framework.db.schema import is_shared


class SchemaRouter:
    """Shared apps in the public scope, all others in a tenant's, nothing at all outside of a scope."""

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool:
        scope = tenancy.current_scope()
        if scope is None:
            return False
        return is_shared(app_label) is (scope.tenant is None)
