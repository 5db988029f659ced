"""Migrates one schema: exactly the apps that live in it, recorded in its own table, in the caller's transaction.

Stock ``migrate`` records in every schema the migrations of every app, denied or not; then a plugin enabled later would find its
own recorded and make no tables. Apps that live elsewhere count as applied here and are never recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from django.db.models.signals import post_migrate

from plugin_framework import tenancy
from plugin_framework.db import finished
from plugin_framework.db.rollout import Key, Stage, Unsuitable, judged
from plugin_framework.db.shared_tables import qualify_state
from plugin_framework.sdk._calling import plugins_code


class MigrationFailed(RuntimeError):
    """A migration could not be applied; nothing that the caller's transaction does not keep was changed. The cause says why.

    Attributes:
        what: the migration, as "app.name". `kind`: the name of the error.
    """

    def __init__(self, what: str, error: Exception) -> None:
        super().__init__(f"{what}: {type(error).__name__}: {str(error).strip()}")
        self.what, self.kind = what, type(error).__name__


class AppsMissing(RuntimeError):
    """A migration needs others, of apps that are not installed here."""


def shared_labels() -> frozenset[str]:
    """Labels of the apps whose tables are in the public schema."""
    return _labels(settings.SHARED_APPS)


def tenant_labels() -> frozenset[str]:
    """Labels of the apps whose tables are in every tenant's schema."""
    return _labels(settings.TENANT_APPS)


def _labels(names: Iterable[str]) -> frozenset[str]:
    wanted = set(names)
    return frozenset(config.label for config in apps.get_app_configs() if config.name in wanted)


def installed_labels() -> frozenset[str]:
    """Labels of all apps that have migrations recorded in the current schema; empty for a schema that is new."""
    scope = tenancy.current_scope()
    schema = scope.tenant.schema if scope and scope.tenant else tenancy.PUBLIC
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f'"{schema}".django_migrations'])
        if cursor.fetchone()[0] is None:
            return frozenset()
        cursor.execute(f'SELECT DISTINCT app FROM "{schema}".django_migrations')  # noqa: S608  # our own schema names only
        return frozenset(row[0] for row in cursor.fetchall())


def migrate_schema(wanted: Iterable[str]) -> list[str]:
    """Bring the apps `wanted` (labels) as far as they may be in the current scope's schema: what takes away waits for `finished`.

    Returns:
        The migrations applied, as "app.name"; empty when there was nothing to do.

    Raises:
        MigrationFailed: one raised, or others of apps that are not `wanted` would be needed first; roll back.
        Unsuitable: one cannot be applied while processes with older code may serve; nothing was changed.
    """
    labels = frozenset(wanted)
    executor = SchemaExecutor(labels)
    targets = [key for key in executor.loader.graph.leaf_nodes() if key[0] in labels]
    plan = executor.migration_plan(targets)
    strangers = sorted({migration.app_label for migration, _ in plan} - labels)
    if strangers:
        missing = AppsMissing(f"These apps must be installed here first: {', '.join(strangers)}.")
        raise MigrationFailed(str(next(each for each, _ in plan if each.app_label in labels)), missing) from missing
    plan = _for_now(plan, executor.loader)
    if not plan:
        return []
    with plugins_code():  # also what is run to know the models as they are before the first one
        executor.migrate(targets, plan)
    with _failing_as(f"{plan[-1][0]} (post_migrate)"):
        _tell(labels, plan)
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def _for_now(plan: list[tuple[Migration, bool]], loader: MigrationLoader) -> list[tuple[Migration, bool]]:
    """`plan` without what has to wait for the end of the deploy."""
    if not plan or not (waiting := finished.waiting() & {_key(migration) for migration, _ in plan}):
        return plan
    here = {app for app, _ in loader.applied_migrations}
    later = {key for key in waiting if judged()[key].stage is Stage.AFTER}
    for app, name in sorted(waiting - later):
        if app in here:  # where it is new, nobody has older code for what it makes
            raise Unsuitable(f"{app}.{name} cannot be applied while processes with older code may be running. {_STOP}")
    for migration, _ in plan:
        needed = later & set(loader.graph.forwards_plan(_key(migration)))
        if _key(migration) in later or not needed:
            continue
        if strangers := sorted(key for key in needed if key[0] in here):
            first = ".".join(strangers[0])
            raise Unsuitable(f"{migration} needs {first}, which waits for the end of the deploy before. {_STOP}")
        later -= needed
    return [each for each in plan if _key(each[0]) not in later]


_STOP = "Stop them all, and run `manage.py migrate_tenants --finish`."


def _key(migration: Migration) -> Key:
    return migration.app_label, migration.name


class UnknownMigration(LookupError):
    """The installed code does not have a migration, so it cannot make the tables as they were with it."""


def migrate_schema_to(applied: Collection[tuple[str, str]]) -> None:
    """Bring the current scope's schema, which is empty, to where just these migrations are applied; without `post_migrate`.

    Args:
        applied: as (app, name), all that are recorded where the schema comes from.

    Raises:
        UnknownMigration: the installed code lacks one, or needs others for one of them; the text names them.
        MigrationFailed: one raised; roll back.
    """
    executor = SchemaExecutor(frozenset(app for app, _ in applied))
    targets = [_node_for(key, executor.loader, set(applied)) for key in applied]
    plan = executor.migration_plan(targets)
    if more := sorted({(each.app_label, each.name) for each, _ in plan} - set(targets)):
        raise UnknownMigration(f"They would need these too: {', '.join(map('.'.join, more))}.")
    with plugins_code():  # also what is run to know the models as they are before the first one
        executor.migrate(targets, plan)


@contextmanager
def _failing_as(what: str) -> Iterator[None]:
    """Run code of a plugin, maybe; whatever it raises comes out as `MigrationFailed`, unless the database went away."""
    try:
        with plugins_code():
            yield
    except Exception as error:
        if connection.connection is None or connection.connection.closed:
            raise  # through no fault of the migration's
        raise MigrationFailed(what, error) from error


def _node_for(key: tuple[str, str], loader: MigrationLoader, applied: set[tuple[str, str]]) -> tuple[str, str]:
    """The migration `key` itself, or the one that it was squashed into if all others of that are applied too."""
    if key in loader.graph.nodes:
        return key
    for node, migration in loader.graph.nodes.items():
        if key in migration.replaces and applied.issuperset(migration.replaces):
            return (str(node[0]), str(node[1]))
    raise UnknownMigration(f"There is no migration {'.'.join(key)} here.")


def _tell(labels: frozenset[str], plan: list[tuple[Migration, bool]]) -> None:
    """Send post_migrate for the apps of this schema only; in public for all, as content types of all apps are made there."""
    scope = tenancy.current_scope()
    everywhere = scope is not None and scope.tenant is None
    for config in apps.get_app_configs():
        if config.models_module is not None and (everywhere or config.label in labels):
            post_migrate.send(
                sender=config, app_config=config, verbosity=0, interactive=False, using="default", plan=plan, apps=apps
            )


class SchemaLoader(MigrationLoader):
    """Loads the wanted apps and what they depend on; of those, the apps that live elsewhere count as applied."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.wanted = wanted
        super().__init__(connection)

    def load_disk(self) -> None:
        super().load_disk()
        needed = self._closure()
        self.disk_migrations = {key: each for key, each in self.disk_migrations.items() if key[0] in needed}

    def build_graph(self) -> None:
        super().build_graph()
        for key, migration in self.graph.nodes.items():
            if key[0] not in self.wanted and not self._lives_here(key[0]):
                self.applied_migrations[key] = migration

    @staticmethod
    def _lives_here(label: str) -> bool:
        scope = tenancy.current_scope()
        return (label in shared_labels()) is (scope is None or scope.tenant is None)

    def _closure(self) -> set[str]:
        needed: set[str] = set()
        waiting = list(self.wanted)
        while waiting:
            label = waiting.pop()
            if label not in needed:
                needed.add(label)
                migrations = [each for key, each in self.disk_migrations.items() if key[0] == label]
                waiting += [str(dependency[0]) for each in migrations for dependency in each.dependencies]
        needed.discard("__setting__")
        return needed


class SchemaExecutor(MigrationExecutor):
    """Django's executor over a `SchemaLoader`."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.connection = connection
        self.loader = SchemaLoader(wanted)
        self.recorder = MigrationRecorder(connection)
        self.progress_callback = None

    def _create_project_state(self, with_applied_migrations: bool = False) -> ProjectState:
        """As Django's; in a tenant's schema the shared tables have their schema's name, for migrations that read them."""
        state: ProjectState = super()._create_project_state(with_applied_migrations)  # type: ignore[misc]  # the stubs omit it
        if tenancy.tenant_or_none() is not None:
            qualify_state(state)
        return state

    def apply_migration(self, state: ProjectState, migration: Migration, *args: Any, **kwargs: Any) -> ProjectState:
        """As Django's; then deferred constraints are checked, or the next migration's ALTER meets "pending trigger events"."""
        with _failing_as(str(migration)):
            state = super().apply_migration(state, migration, *args, **kwargs)
            connection.check_constraints()
        return state
