"""What new schemas are made of: the statements that a migrated schema was written down as, replayed in a few milliseconds.

They are written from a schema that was just migrated, with the plugins in it that are on by default, and proved by making one that
comes out equal. `migrate` writes them, and whoever decides what is on by default; nobody else. So the database says what a new
tenant gets, and old and new code that run side by side during a deploy do not argue about it.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import django
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models.functions import Now
from django.utils.translation import gettext

from plugin_framework import defaults
from plugin_framework.db import finished
from plugin_framework.db.migrator import migrate_schema, tenant_labels
from plugin_framework.db.schemas import create_schema
from plugin_framework.delivery.failpoints import failpoint
from plugin_framework.registry import registry
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from tenants import ddl, owed
from tenants.models import Blueprint
from tenants.names import new_schema_name

log = logging.getLogger(__name__)
_HOLD = "SELECT pg_advisory_xact_lock_shared(hashtextextended('tenants.blueprint', 0))"
_CHANGE = "SELECT pg_advisory_xact_lock(hashtextextended('tenants.blueprint', 0))"
_VERSION = "SELECT code, digest, statements <> '' FROM public.tenants_blueprint"
_STATEMENTS = "SELECT digest, statements FROM public.tenants_blueprint"
_kept = threading.local()  # `digest` and `statements`: each thread reads them once for each blueprint


@dataclass(frozen=True, slots=True)
class Version:
    """Which blueprint there is; all of it empty if there is none.

    Attributes:
        code: tells by which migrations it was made. `digest`: of what it consists.
        written: whether there are statements to replay; else its schemas are migrated.
    """

    code: str = ""
    digest: str = ""
    written: bool = False


def hold() -> None:
    """Keep the blueprint as it is until the current transaction ends: what is made by it is then known to whoever changes it.

    Otherwise a schema of the old one could appear after a deploy has looked who is behind.
    """
    _execute(_HOLD)


def version() -> Version:
    """The one in force."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSION)
        return Version(*(cursor.fetchone() or ()))


def make(ref: TenantRef) -> str:
    """Make the schema of `ref` with all that it holds, in the caller's transaction, in which the blueprint is held.

    Without a blueprint, or where there are no statements, that takes the migrations, and ten times as long.

    Returns:
        The digest of the blueprint it was made by; "" if there is none.
    """
    digest, statements = _statements()
    create_schema(ref.schema)
    failpoint("schema_created")
    with tenant_scope(ref):
        if statements:
            _execute(statements)
        else:
            _migrate()
    failpoint("schema_filled")
    return digest


def drop(schema: str) -> None:
    """Remove a schema and all in it, in the caller's transaction."""
    _execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


def can_be_made() -> bool:
    """Whether this code can make schemas by the blueprint in force: by its statements, or by its own migrations if they are the same."""
    found = version()
    return found.written or (bool(found.code) and found.code == code())


def refresh() -> bool:
    """Let the blueprint follow the installed code and the catalog; whether it changed. Spares of the old one are given to nobody then."""
    with public_scope():
        if version().code == code():
            return False
        with transaction.atomic():
            _write()
    return True


class OtherCode(RuntimeError):
    """This process has not the code that the blueprint was written by: the platform is being updated."""


@contextmanager
def kept_in_step(*, may_lag: bool = False, needed: Collection[str] = ()) -> Iterator[None]:
    """Let new schemas hold what is decided inside about plugins that are on by default, from the same commit on. Call in a transaction.

    The spares that there are are given to nobody then, and the worker is asked for others.

    Args:
        may_lag: the decision must not fail because of this; while the platform is being updated, the blueprint follows at its end.
        needed: the plugins that the decision is about, where new schemas have to hold them.

    Raises:
        OtherCode: it would have to follow, and cannot now; undo the decision. MigrationFailed: those of one that is `needed` did.
    """
    with public_scope():
        before, written_by = code(), version().code
    yield
    with public_scope():
        if not written_by or code() == before:
            return
        if written_by != before:
            if may_lag:
                log.warning("New organisations follow this decision at the end of the deploy: run migrate_tenants.")
                return
            raise OtherCode(gettext("The platform is being updated. Decide this again in a few minutes."))
        _write(needed)
    owed.ask()


def _write(needed: Collection[str] = ()) -> None:
    statements = _written_down(needed)
    _execute(_CHANGE)
    digest = _hash(statements) if statements else code()
    values = {"code": code(), "digest": digest, "statements": statements, "made_at": Now()}
    Blueprint.objects.update_or_create(pk=1, defaults=values)


def code() -> str:
    """A fingerprint of all that decides how a tenant's schema comes out: migrations, and the plugins that are on by default."""
    specs = [registry.specs[name] for name in defaults.chosen()]
    labels = tenant_labels() | {spec.app_label for spec in specs if spec.app_label}
    waiting = sorted(".".join(key) for key in finished.waiting() if key[0] in labels)
    return _hash("\0".join([_sources(labels), *waiting, *(f"{s.name} {s.version} {s.config_version}" for s in specs)]))


def _migrate(needed: Collection[str] = ()) -> None:
    """Fill the current schema, which is empty, without statements."""
    migrate_schema(tenant_labels())
    defaults.prepare(defaults.chosen(), needed)


@cache
def _sources(labels: frozenset[str]) -> str:
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    found = sorted((key, migration) for key, migration in loader.disk_migrations.items() if key[0] in labels)
    sources = [inspect.getsource(inspect.getmodule(type(migration)) or type(migration)) for _, migration in found]
    return _hash("\0".join([django.__version__, inspect.getsource(ddl), *(str(key) for key, _ in found), *sources]))


def _written_down(needed: Collection[str]) -> str:
    """A migrated schema as statements, proved; "" if it holds what cannot be written down. No schema is left behind."""
    try:
        statements = _of_a_schema("", needed)
        if ddl.comparable(_of_a_schema(statements)) != ddl.comparable(statements):
            raise ddl.NotReplayable("The schema that comes of its statements is not equal to it.")
    except ddl.NotReplayable as error:
        log.warning("New schemas will be made by migrations, ten times as slow: %s", error)
        return ""
    return statements


def _of_a_schema(statements: str, needed: Collection[str] = ()) -> str:
    """A schema made by `statements`, by migrations if there are none, written down and taken back."""
    ref = TenantRef(slug="blueprint", name="Blueprint", host="", schema=new_schema_name())
    with transaction.atomic():
        create_schema(ref.schema)
        with tenant_scope(ref):
            if statements:
                _execute(statements)
            else:
                _migrate(needed)
            found = ddl.of(ref.schema)
        transaction.set_rollback(True)
    return found


def _statements() -> tuple[str, str]:
    """The digest of the blueprint in force, and its statements."""
    digest = version().digest
    if digest and getattr(_kept, "digest", None) != digest:
        with connection.cursor() as cursor:
            cursor.execute(_STATEMENTS)
            _kept.digest, _kept.statements = cursor.fetchone()
    return (digest, _kept.statements) if digest else ("", "")


def _execute(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
