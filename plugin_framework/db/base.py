"""A PostgreSQL wrapper whose search_path always is the current scope's: the server enforces what `tenancy` says.

Before every cursor the wanted path is compared with the one the server last reported (PostgreSQL 18 reports search_path as a
parameter status, which costs no round trip and also tells of rollbacks and raw SETs); only a difference is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.backends.postgresql import base as postgresql
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property
from django_tenants.postgresql_backend import base as django_tenants
from psycopg import errors, pq

from plugin_framework import tenancy
from plugin_framework.db import wear
from plugin_framework.db.introspection import DatabaseIntrospection
from plugin_framework.db.savepoints import Work, running
from plugin_framework.db.schema import TenantSchemaEditor
from plugin_framework.sdk import NoTenant

SET_PATH = "SELECT set_config('search_path', %s, false)"
_UNDEFINED = (errors.UndefinedTable, errors.UndefinedFunction, errors.UndefinedObject, errors.InvalidSchemaName)


class _ScopeErrors(DatabaseErrorWrapper):
    """Says "no tenant" where PostgreSQL, outside of any scope, could only say that a table is unknown."""

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        if exc_type is not None and issubclass(exc_type, _UNDEFINED) and tenancy.current_scope() is None:
            raise NoTenant from exc_value
        super().__exit__(exc_type, exc_value, traceback)


class DatabaseWrapper(django_tenants.DatabaseWrapper):  # type: ignore[misc]  # django-tenants is untyped
    """django-tenants' wrapper, with the tenant taken from `tenancy` instead of from attributes that go stale."""

    SchemaEditorClass = TenantSchemaEditor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._in_atomic_block = False
        self._atomic_blocks: list[Any] = []
        self._guarding = False
        self._paths: set[str] = set()  # that this session has had
        super().__init__(*args, **kwargs)
        self.introspection = DatabaseIntrospection(self)

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        return _ScopeErrors(self)

    @property
    def schema_name(self) -> str:
        """The current scope's schema, for the parts of django-tenants that ask the connection (introspection)."""
        scope = tenancy.current_scope()
        if scope is None:
            return ""
        return scope.tenant.schema if scope.tenant else tenancy.PUBLIC

    @schema_name.setter
    def schema_name(self, value: object) -> None:
        """django-tenants' constructor assigns None here; the scope is the only source, so there is nothing to keep."""

    def set_schema_to_public(self) -> None:
        """Called by django-tenants' constructor only; a new connection starts without a tenant."""

    def set_tenant(self, tenant: object, include_public: bool = True) -> None:
        raise NotImplementedError("Use plugin_framework.tenancy.tenant_scope(); a connection has no tenant of its own.")

    def on_commit(self, func: Callable[[], object], robust: bool = False) -> None:
        """As Django's, but `func` runs in the tenant it was registered in, not in the one current at the commit."""
        super().on_commit(tenancy.bound(func), robust)

    def _cursor(self, name: str | None = None) -> Any:
        self._touched()
        # Past django-tenants' own _cursor on purpose: it would send its own idea of the path.
        cursor = postgresql.DatabaseWrapper._cursor(self, name)  # type: ignore[attr-defined]  # the stubs omit it
        self._follow_scope(cursor if name is None else None)
        self._guarded(Work.open)
        return cursor

    # What Django and its users ask before they do something about transactions. A handler of a hook that asks has its own guard
    # begun first, so that they find the transaction it is promised (see `savepoints`).

    @property
    def in_atomic_block(self) -> bool:
        """Whether a transaction is open, as Django sees it."""
        self._touched()
        return self._in_atomic_block

    @in_atomic_block.setter
    def in_atomic_block(self, value: bool) -> None:
        self._in_atomic_block = value

    @property
    def atomic_blocks(self) -> list[Any]:
        """The `atomic` blocks that are open, as Django sees them."""
        self._touched()
        return self._atomic_blocks

    @atomic_blocks.setter
    def atomic_blocks(self, value: list[Any]) -> None:
        self._atomic_blocks = value

    def ensure_connection(self) -> None:
        """As Django's; `get_autocommit` calls it, and so does whoever wants psycopg's own connection."""
        self._touched()
        super().ensure_connection()

    def close(self) -> None:
        """As Django's; inside of a transaction it marks that as lost."""
        self._touched()
        super().close()

    def get_new_connection(self, conn_params: Any) -> Any:
        """As Django's; a session from a pool brings along what it has touched."""
        session = super().get_new_connection(conn_params)
        self._paths = wear.paths_of(session)
        return session

    def note_path(self, path: str) -> None:
        """Count `path` as one that this session has had."""
        self._paths.add(path)

    @property
    def is_worn(self) -> bool:
        """Whether this session has touched as many schemas as it may: CONN_MAX_SCHEMAS."""
        most: int = self.settings_dict.get("CONN_MAX_SCHEMAS", wear.DEFAULT_MOST)
        return len(self._paths) >= most

    def close_if_worn(self) -> bool:
        """Close a session that has touched many schemas, unless something is open on it; whether it did."""
        if self.connection is None or not self.is_worn or self._in_atomic_block:
            return False
        if not wear.may_be_closed(self.connection):
            return False
        self.close()
        return True

    def close_if_unusable_or_obsolete(self) -> None:
        """As Django's, before and after each request; one that is worn goes too."""
        super().close_if_unusable_or_obsolete()
        self.close_if_worn()

    def _close(self) -> None:
        """As Django's; a pool is given a worn session closed, and replaces it."""
        if self.connection is not None and self.pool and self.is_worn:
            self.connection.close()
        super()._close()

    def _touched(self) -> None:
        self._guarded(Work.touch)

    def _guarded(self, begin: Callable[[Work, Any], None]) -> None:
        """Let the running handler's guard do its part; what that asks of us in turn is not the handler's."""
        work = running()
        if work is None or self._guarding:
            return
        self._guarding = True
        try:
            begin(work, self)
        finally:
            self._guarding = False

    def _follow_scope(self, cursor: Any) -> None:
        """Make the server's search_path the current scope's; free of charge when it already is."""
        wanted = tenancy.search_path()
        if self._server_path() == wanted:
            return
        if self.connection.pgconn.transaction_status == pq.TransactionStatus.INERROR:
            return  # nothing but a rollback is accepted now, and that restores the path by itself
        if cursor is None:  # a server-side cursor executes one statement only
            with self._prepare_cursor(self.create_cursor()) as extra:
                extra.execute(SET_PATH, [wanted])
        else:
            cursor.execute(SET_PATH, [wanted])
            cursor.fetchone()
        self.search_path_set_schemas = wanted
        self._paths.add(wanted)

    def _server_path(self) -> str | None:
        """The path in force; None when it cannot be known and has to be sent again."""
        pgconn = self.connection.pgconn
        if pgconn.pipeline_status != pq.PipelineStatus.OFF:
            return None
        reported = pgconn.parameter_status(b"search_path")
        if reported is not None:
            return str(reported.decode())
        # Before PostgreSQL 18 the path is not reported: django-tenants' cache, cleared by close, rollback and savepoint rollback.
        return self.search_path_set_schemas

    def one_statement(self, sql: str, params: list[object]) -> tuple[Any, ...] | None:
        """Run `sql` as it is, before any scope is known: for the request's one statement, which sets the path itself."""
        self.ensure_connection()
        with self._prepare_cursor(self.create_cursor()) as cursor:
            cursor.execute(sql, params)
            row: tuple[Any, ...] | None = cursor.fetchone()
        self._paths.add(self._server_path() or "")
        return row
