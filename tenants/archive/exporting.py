"""Writes one tenant into an archive, as it was at one moment, while it goes on working; nothing is held in memory but a block."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from django.db import ProgrammingError, connection, transaction
from django.utils.translation import gettext
from psycopg import errors, sql

from plugin_framework import PLATFORM_VERSION, files, sealed_columns
from plugin_framework.audit import Actor
from plugin_framework.catalog import plans
from plugin_framework.catalog.models import CatalogGrant
from plugin_framework.delivery.models import Lane
from plugin_framework.models import PluginState
from plugin_framework.settings_store import box
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from tenants import wholeness
from tenants.archive import tables
from tenants.archive.format import (
    BLOCK,
    MANIFEST,
    SIGNATURE,
    Identity,
    Manifest,
    Member,
    Plugin,
    Sealed,
    Table,
)
from tenants.archive.members import writing
from tenants.archive.tables import Layout
from tenants.models import State, Tenant
from tenants.operations import NoSuchTenant, NotPossible, audit_on_both_sides
from tenants.wholeness import Condition

_GONE = (errors.UndefinedTable, errors.InvalidSchemaName)
_TRIES = 3  # times that the tables may change between the look at them and the lock on them
_MIGRATIONS = "SELECT app, name FROM django_migrations ORDER BY id"
_COUNTERS = {"fence": "public.delivery_fence_seq", "revision": "public.catalog_revision_seq"}


@dataclass(frozen=True, slots=True)
class Exported:
    """What an archive holds: numbers of tables, rows and files, and the bytes of all of them before they were packed."""

    slug: str
    tables: int
    rows: int
    files: int
    size: int


class _Changed(Exception):
    """A table came or went before all of them could be locked."""


def export(slug: str, to: Path, actor: Actor) -> Exported:
    """Write the tenant into the new file `to`, which only its owner may read. It is there when it is whole, or not at all.

    Raises:
        NoSuchTenant: nobody has this slug. NotPossible: it is being set up, or a table of it goes away meanwhile.
        OSError: `to` exists, or cannot be written.
    """
    beside = to.with_name(f".{to.name}.part")
    if to.exists():
        raise FileExistsError(f"{to} exists. Choose another name, or move it away.")
    try:
        with os.fdopen(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file:
            found = write(slug, file, actor)
            os.fsync(file.fileno())
        os.link(beside, to)  # not a rename: somebody else's file of that name stays
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()
    return found


def write(slug: str, file: BinaryIO, actor: Actor) -> Exported:
    """The same into an open file. Call it outside of a transaction: within one, each statement would see a moment of its own."""
    tenant = _tenant(slug)
    with public_scope():
        ref = tenant.ref()
    if wholeness.condition(ref) is Condition.LOST:
        raise NotPossible(gettext("Its schema is not there, or is not complete."))
    for number in range(1, _TRIES + 1):
        try:
            file.seek(0)
            file.truncate()
            manifest = _written(tenant, ref, file)
            break
        except _Changed as error:
            if number == _TRIES:
                raise NotPossible(
                    gettext("The tables of %(slug)s change all the time. Try again later.") % {"slug": slug}
                ) from error
    found = Exported(
        slug,
        len(manifest.tables),
        manifest.rows,
        len(manifest.files),
        sum(member.size for member in manifest.members()),
    )
    audit_on_both_sides(ref, actor, "tenant.exported", rows=found.rows, files=found.files)
    return found


def _tenant(slug: str) -> Tenant:
    with public_scope():
        tenant: Tenant | None = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise NoSuchTenant(f"There is no organisation {slug!r}.")
    if tenant.state == State.PROVISIONING:
        raise NotPossible(gettext("%(name)s is being set up; there is nothing to export yet.") % {"name": tenant.name})
    if tenant.is_platform:
        raise NotPossible(gettext("The platform’s own tenant is not exported; back up the whole installation instead."))
    return tenant


def _written(tenant: Tenant, ref: TenantRef, file: BinaryIO) -> Manifest:
    with tenant_scope(ref):
        found = tables.names(ref.schema)
        if not found:
            raise NotPossible(gettext("Its schema is not there, or is not complete."))
        inside = connection.in_atomic_block
        with transaction.atomic():
            _one_moment(ref.schema, found, inside=inside)
            if tables.names(ref.schema) != found:
                raise _Changed
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                manifest = _manifest(tenant, ref, archive, tables.layouts(ref.schema, found))
                text = manifest.to_json()
                archive.writestr(MANIFEST, text)
                archive.writestr(SIGNATURE, box().sign(text))
    return manifest


def _one_moment(schema: str, found: Iterable[str], *, inside: bool) -> None:
    """See one state of the database until the end of the transaction, and keep these tables from being changed or dropped."""
    listed = sql.SQL(", ").join(sql.Identifier(schema, name) for name in found)
    with connection.cursor() as cursor:
        if not inside:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        try:
            cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(listed).as_string())
        except ProgrammingError as error:
            if isinstance(error.__cause__, _GONE):
                raise _Changed from error
            raise


def _manifest(tenant: Tenant, ref: TenantRef, archive: zipfile.ZipFile, found: Iterable[Layout]) -> Manifest:
    contents = tuple(_table(ref.schema, each, archive) for each in found)
    with connection.cursor() as cursor:
        cursor.execute(_MIGRATIONS)
        migrations = tuple(cursor.fetchall())
    sealed = tuple(
        Sealed(each.plugin, each.model._meta.db_table, each.name, sealed_columns.field_of(each.purpose))
        for each in sealed_columns.here()
    )
    plugins = tuple(
        Plugin(row.plugin, row.version, row.app_label, tuple(row.tables))
        # These alone: a tenant that is behind has not the newer columns.
        for row in PluginState.objects.order_by("plugin").only("plugin", "version", "app_label", "tables")
    )
    with public_scope():
        lanes = Lane.objects.filter(tenant_schema=ref.schema).exclude(paused_by="")
        paused = dict(lanes.values_list("plugin", "paused_by"))
        grants = CatalogGrant.objects.filter(tenant_schema=ref.schema).order_by("plugin")
        granted = tuple(grants.values_list("plugin", flat=True))
        identity = _identity(tenant)
    return Manifest(
        version=PLATFORM_VERSION,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        tenant=identity,
        migrations=migrations,
        plugins=plugins,
        tables=contents,
        sequences=tables.sequences(ref.schema),
        counters=counters(),
        sealed=sealed,
        plan=plans.slug_of(ref.schema),
        grants=granted,
        paused=paused,
        files=tuple(_files(ref.schema, archive)),
    )


def counters() -> dict[str, int]:
    """The last values of the shared sequences whose numbers stand in the rows of tenants."""
    found = {}
    with connection.cursor() as cursor:
        for name, sequence in _COUNTERS.items():
            cursor.execute(f"SELECT last_value FROM {sequence}")  # noqa: S608  # named above
            found[name] = int(cursor.fetchone()[0])
    return found


def catch_up(wanted: dict[str, int]) -> None:
    """Move the same sequences on to at least these values; never back, whoever takes numbers meanwhile."""
    with connection.cursor() as cursor:
        for name, sequence in _COUNTERS.items():
            missing = wanted.get(name, 0) - counters()[name]
            cursor.execute("SELECT count(nextval(%s)) FROM generate_series(1, %s)", [sequence, max(missing, 0)])


def _identity(tenant: Tenant) -> Identity:
    hosts = tenant.domains.order_by("-is_primary", "domain").values_list("domain", flat=True)
    return Identity(
        schema=tenant.schema_name,
        slug=tenant.slug,
        name=tenant.name,
        hosts=tuple(hosts),
        state=tenant.state_before if tenant.state == State.DELETING else tenant.state,
        state_message=tenant.state_message,
        timezone=tenant.timezone,
        logo=tenant.logo,
    )


def _table(schema: str, table: Layout, archive: zipfile.ZipFile) -> Table:
    rows = 0
    with writing(archive, f"data/{table.name}.copy") as part:
        with connection.cursor() as cursor, cursor.copy(tables.copy_out(schema, table)) as copy:
            for block in copy:
                data = bytes(block)
                rows += data.count(b"\n")  # one ends each row; those within are escaped
                part.write(data)
    return Table(table.name, table.columns, rows, part.member)


def _files(schema: str, archive: zipfile.ZipFile) -> Iterator[Member]:
    for name, path in files.walk(schema):
        try:
            source = path.open("rb")
        except FileNotFoundError:
            continue  # deleted since; files know no moments
        with source, writing(archive, f"files/{name}") as part:
            while block := source.read(BLOCK):
                part.write(block)
        yield part.member
