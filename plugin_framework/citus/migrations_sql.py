"""The SQL of all migrations that run in tenants' schemas, collected without a database.

Django's own operations are asked what they would execute, by the schema editor that will; RunSQL is read as it is written; of
RunPython, which is not run, the texts that its code gives to `execute`.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.migrations import Migration, RunPython, SeparateDatabaseAndState
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from plugin_framework.db.base import DatabaseWrapper
from plugin_framework.db.schema import TenantSchemaEditor
from plugin_framework.sdk._calling import plugins_code
from plugin_framework.tenancy import TenantRef, tenant_scope

_NOBODY = TenantRef(slug="nobody", name="Nobody", host="nobody.invalid", schema="t_00000000000000000000")
_POSTGRESQL = 18_00_00


@dataclass(frozen=True, slots=True)
class Statement:
    """What one operation of a migration executes; `problem` says why that cannot be known."""

    app: str
    migration: str
    operation: str
    sql: str
    problem: str = ""


class _Paper(DatabaseWrapper):
    """A connection that never is made."""

    def get_new_connection(self, conn_params: Any) -> Any:
        raise ConnectionError("it asks the database while its SQL is collected")


class _Editor(TenantSchemaEditor):
    """Ours, but it only notes what it would execute, and makes up the names that it would look up."""

    def execute(self, sql: Any, params: Any = ()) -> None:
        self.collected_sql.append(str(sql) % tuple(map(self.quote_value, params)) if params else str(sql))

    def _constraint_names(self, model: Any, column_names: Any = None, **kwargs: Any) -> list[str]:
        return [f"{model._meta.db_table}_{'_'.join(column_names or ['some'])}"]

    def _get_sequence_name(self, table: str, column: str) -> str:
        return f"{table}_{column}_seq"


def statements(labels: Iterable[str]) -> Iterator[Statement]:
    """Every statement of the migrations of the apps `labels`, in the order in which they run."""
    wanted = set(labels)
    loader = MigrationLoader(None)
    state = ProjectState(real_apps=loader.unmigrated_apps)
    seen: set[tuple[str, str]] = set()
    with tenant_scope(_NOBODY):
        for leaf in sorted(loader.graph.leaf_nodes()):
            if leaf[0] not in wanted:
                continue
            for key in loader.graph.forwards_plan(leaf):
                if key not in seen:
                    seen.add(key)
                    migration = loader.graph.nodes[key]
                    if key[0] in wanted:
                        state = yield from _of(migration, state)
                    else:
                        state = migration.mutate_state(state, preserve=False)


def _of(migration: Migration, state: ProjectState) -> Generator[Statement, None, ProjectState]:
    for operation in migration.operations:
        after = state.clone()
        operation.state_forwards(migration.app_label, after)
        for each in _flat([operation]):
            for sql, problem in _collected(each, migration.app_label, state, after):
                yield Statement(migration.app_label, migration.name, each.describe(), sql, problem)
        state = after
    return state  # for `yield from`


def _flat(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _collected(operation: Operation, app: str, before: ProjectState, after: ProjectState) -> Iterator[tuple[str, str]]:
    if isinstance(operation, RunPython):
        yield from ((sql, "") for sql in texts_executed(operation.code))
        return
    if not operation.reduces_to_sql:
        return
    connection: Any = _Paper(connections["default"].settings_dict, "default")
    connection.__dict__["pg_version"] = _POSTGRESQL  # else it would be asked
    editor: Any = _Editor(connection, collect_sql=True, atomic=False)
    try:
        with plugins_code(), editor:
            operation.database_forwards(app, editor, before, after)
    except Exception as error:  # noqa: BLE001  # an operation of anybody's may raise anything; it is told of
        yield "", f"{type(error).__name__}: {error}"
    yield from ((str(sql), "") for sql in editor.collected_sql)


def texts_executed(code: Callable[..., Any]) -> list[str]:
    """The SQL that a function hands to an `execute`, as far as it is written there or in a constant of its module."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, TypeError, SyntaxError):  # a built-in, a lambda within a call, no source
        return []
    known = getattr(code, "__globals__", {})
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_execute(node.func) and node.args]
    return [text for call in calls if (text := _text(call.args[0], known))]


def _is_execute(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr in ("execute", "executemany", "raw")


def _text(node: ast.expr, known: dict[str, Any]) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, known) or "x" for part in node.values)
    if isinstance(node, ast.Name):
        return str(known.get(node.id, ""))
    if isinstance(node, ast.BinOp):
        return _text(node.left, known) + _text(node.right, known)
    return ""
