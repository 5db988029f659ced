"""Names the shared tables with their schema, so that a tenant's search_path need not hold `public`.

A tenant's table that is missing is then an error and nothing else: PostgreSQL has no second place to look for it, whatever lies in
`public`. Django leaves a name that is quoted already as it is.
"""

from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.db.migrations.state import ProjectState

from plugin_framework.db.schema import is_shared
from plugin_framework.tenancy import PUBLIC


def qualified(table: str) -> str:
    """A shared table's name, with its schema."""
    return table if table.startswith('"') else f'"{PUBLIC}"."{table}"'


def qualify_models() -> None:
    """Do so for every model of SHARED_APPS, once all models are there."""
    for config in apps.get_app_configs():
        if config.name in settings.SHARED_APPS:
            for model in config.get_models(include_auto_created=True):
                model._meta.db_table = qualified(model._meta.db_table)


def qualify_state(state: ProjectState) -> None:
    """Do so for the shared models as migrations see them, in a run that does not make their tables."""
    for (label, name), model in state.models.items():
        if is_shared(label):
            model.options["db_table"] = qualified(model.options.get("db_table") or f"{label}_{name}")
