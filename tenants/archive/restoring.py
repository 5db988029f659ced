"""Makes a tenant from an archive, under a new schema: all of it in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import SuspiciousFileOperation
from django.db import DatabaseError, InterfaceError, transaction

from plugin_framework import files
from plugin_framework.audit import Actor
from plugin_framework.db.schemas import create_schema
from plugin_framework.delivery.failpoints import failpoint
from plugin_framework.tenancy import TenantRef, tenant_scope
from tenants import purging
from tenants.archive import loading, registering
from tenants.archive.errors import CannotRestore
from tenants.archive.format import Manifest
from tenants.archive.reading import Archive, opened
from tenants.archive.resealing import reseal
from tenants.directory import host_of
from tenants.names import new_schema_name, problem_with
from tenants.operations import audit_on_both_sides


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore came to.

    Attributes:
        unreadable: secrets that no key opens, as "plugin: field"; they were unreadable before.
        hosts_lost: hosts it had that are somebody else's now.
    """

    ref: TenantRef
    state: str
    made_at: str
    rows: int
    files: int
    unreadable: tuple[str, ...]
    hosts_lost: tuple[str, ...]


def restore(path: Path, actor: Actor, *, slug: str = "", without: Collection[str] = ()) -> Restored:
    """Make the tenant in the archive `path` again, under a new schema, in the state it was in; what was due is delivered.

    Args:
        slug: another than it had.
        without: plugins whose tables stay in the archive. They are disabled then; their settings are kept.

    Raises:
        BadArchive: the file is damaged, or not of this installation. CannotRestore: its address is taken, a plugin or its plan is
            missing here, or it was made by a newer version. In each case nothing was changed.
    """
    with opened(path) as archive:
        archive.verify()
        manifest = archive.manifest
        slug = slug or manifest.tenant.slug
        if problem := problem_with(slug):
            raise CannotRestore(problem)
        loading.check_plugins(manifest, without)
        ref = TenantRef(slug=slug, name=manifest.tenant.name, host=host_of(slug), schema=new_schema_name())
        try:
            found = _restored(archive, ref, actor, frozenset(without))
        except BaseException:
            # What fails may be the answer to a commit that has been made: then they are a tenant's files, and stay. Should we be
            # killed before this, or the database be away, `purging.sweep_files` does it.
            with suppress(DatabaseError, InterfaceError):
                purging.sweep(ref.schema)
            raise
    failpoint("restore_done")
    return found


def _restored(archive: Archive, ref: TenantRef, actor: Actor, without: Collection[str]) -> Restored:
    manifest = archive.manifest
    with transaction.atomic():
        purging.restoring(ref.schema)
        lost = registering.claim(ref, manifest)
        create_schema(ref.schema)  # fails if it exists: a schema is never adopted
        failpoint("restore_schema_made")
        with tenant_scope(ref):
            rows = loading.load(archive, ref.schema, without)
            failpoint("restore_rows_loaded")
            unreadable = reseal(manifest, ref.schema, without)
            loading.bring_up()
            failpoint("restore_brought_up")
            registering.register(manifest)
        failpoint("restore_registered")
        _write_files(archive, ref.schema)
        failpoint("restore_files_written")
        audit_on_both_sides(
            ref, actor, "tenant.restored", made_at=manifest.made_at, rows=rows, was=manifest.tenant.slug
        )
    return _report(manifest, ref, rows, unreadable, lost)


def _write_files(archive: Archive, schema: str) -> None:
    for member in archive.manifest.files:
        try:
            name = member.name.removeprefix("files/")
            with archive.open(member) as reading:
                files.put(schema, name, reading)  # type: ignore[arg-type]  # it is read from, and nothing else
        except SuspiciousFileOperation as error:
            raise CannotRestore(str(error)) from error


def _report(
    manifest: Manifest, ref: TenantRef, rows: int, unreadable: tuple[str, ...], lost: tuple[str, ...]
) -> Restored:
    state, made_at = manifest.tenant.state, manifest.made_at
    return Restored(ref, state, made_at, rows, len(manifest.files), unreadable, lost)
