"""Deletes all that a tenant had, once the time in which it could be brought back is over. Killed at any point, it is run again.

First the files, which know no transactions, then everything else in one. A tenant whose time is over cannot be brought back any
more, so nobody ever meets one without its files; and it stays on the list of those to be purged until the last step is committed.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError, connection, models, transaction
from django.db.models.functions import Now

from plugin_framework import files
from plugin_framework.audit import SYSTEM, Actor, record
from plugin_framework.db.migrator import shared_labels
from plugin_framework.delivery.failpoints import failpoint
from plugin_framework.delivery.models import Lane
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from plugin_framework.tenancy_directory import platform
from tenants import retired
from tenants.deletion import now
from tenants.models import Domain, State, Tenant
from tenants.operations import NoSuchTenant, NotPossible, locked

log = logging.getLogger(__name__)
HOURLY, AT = "purge", "40 * * * *"  # the platform's work, and when it is done
MOST_A_RUN = 20  # tenants: a mistake in a clock or a setting must not take everybody before somebody notices
_SECONDS = 15.0  # after which a run begins no other; it has a time limit like every handler
_LOCK_TIMEOUT = "2s"
_IN_THE_WAY = {"55P03", "40P01"}  # lock_not_available, deadlock_detected
_FOLDER = re.compile(r"(?:\.leaving-)?(t_[a-z0-9]{20})(?:-[0-9a-f]+)?")
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"


def purge(slug: str, actor: Actor, *, confirmation: str, at_once: bool = False) -> None:
    """Delete a tenant's schema, files, cache and all that the shared tables say of it; its hosts rest. There is no way back.

    Args:
        confirmation: its slug, typed by whoever wants this.
        at_once: do not wait for its time to be over; it must be deleted already.

    Raises:
        NoSuchTenant: nobody has this slug, or another one by now. NotPossible: it was not deleted before, its time is not over, the
            confirmation differs, or somebody is at work in it; what the text says to do about it can be done, and this be called again.
    """
    if confirmation.strip() != slug:
        raise NotPossible(f"Type its short name, {slug}, to delete all of its data for good.")
    ref = _begin(slug, actor, at_once)
    failpoint("purge_begun")
    files.remove_all(ref.schema)
    failpoint("purge_files_gone")
    try:
        _remove(ref, actor)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) not in _IN_THE_WAY:
            raise
        raise NotPossible(f"Somebody is at work in {slug}. Try again in a minute.") from error
    failpoint("purge_done")


def purge_due() -> int:
    """Purge the tenants whose time is over, those that have waited longest first; at most MOST_A_RUN. How many were.

    One that cannot be purged is logged, and does not keep the others from it.
    """
    began, gone = time.monotonic(), 0
    with public_scope():
        due = Tenant.objects.filter(state=State.DELETING, purge_at__lte=Now()).order_by("purge_at")
        slugs = list(due.values_list("slug", flat=True)[: 5 * MOST_A_RUN])
    for slug in slugs:
        if gone == MOST_A_RUN or time.monotonic() - began > _SECONDS:
            break
        try:
            purge(slug, SYSTEM, confirmation=slug)
            gone += 1
        except Exception:  # whatever is wrong with one tenant, the others' time is over too
            log.exception("%s could not be purged; it is tried again in an hour", slug)
    sweep_files()
    return gone


def hourly() -> None:
    """The platform's own work by the clock."""
    purge_due()


def sweep_files() -> list[str]:
    """Remove the folders of schemas that nobody has: what a restore that was killed has left. The schemas."""
    schemas = sorted({found[1] for path in _folders() if (found := _FOLDER.fullmatch(path.name))})
    return [schema for schema in schemas if sweep(schema)]


def sweep(schema: str) -> bool:
    """Remove the folder of `schema` if nobody has that: no tenant, and no restore that is at work; whether it was removed."""
    with transaction.atomic(), public_scope():
        nobodys = _alone(schema) and not Tenant.objects.filter(schema_name=schema).exists()
        if nobodys:
            files.remove_all(schema)
    return nobodys


def restoring(schema: str) -> None:
    """Keep `sweep_files` from the folder of a tenant that is being made; until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"files:{schema}"])


def shared_models() -> Iterator[type[models.Model]]:
    """The shared tables with rows about single tenants: each says whose they are in a column `tenant_schema`."""
    for label in shared_labels():
        for model in apps.get_app_config(label).get_models():
            if any(field.name == "tenant_schema" for field in model._meta.local_fields):
                yield model


def _begin(slug: str, actor: Actor, at_once: bool) -> TenantRef:
    """Check that it may go; from here on it cannot be brought back."""
    with transaction.atomic():
        tenant = locked(slug)
        if tenant.state != State.DELETING or tenant.purge_at is None:
            raise NotPossible(f"{tenant.name} is not deleted. `manage.py tenants delete {slug}` does that first.")
        if tenant.purge_at > now():
            if not at_once:
                raise NotPossible(f"{tenant.name} can be brought back until {tenant.purge_at:%Y-%m-%d %H:%M} UTC.")
            with public_scope():
                Tenant.objects.filter(pk=tenant.pk).update(purge_at=Now())
            _audit(actor, "tenant.purge_hastened", slug)
        with public_scope():
            return tenant.ref()


def _remove(ref: TenantRef, actor: Actor) -> None:
    """Everything in the database, or nothing of it. Nothing of another that has got the slug while the files were being removed."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_LOCK_TIMEOUT])
        tenant = locked(ref.slug)
        if tenant.schema_name != ref.schema:
            raise NoSuchTenant(f"{ref.slug} is another organisation by now; the one that was to go is gone already.")
        with public_scope():
            hosts = list(Domain.objects.filter(tenant=tenant).values_list("domain", flat=True))
            _nobody_at_work(ref)
        _forget(ref)
        with connection.cursor() as cursor:
            cursor.execute(f'DROP SCHEMA IF EXISTS "{ref.schema}" CASCADE')
        failpoint("purge_schema_gone")
        _forget(ref)  # what those wrote whom the schema's lock has waited for
        with public_scope():
            Domain.objects.filter(tenant=tenant).delete()
            Tenant.objects.filter(pk=tenant.pk).delete()
        retired.retire(hosts, ref.schema)
        _audit(actor, "tenant.purged", ref.slug)
        failpoint("purge_rows_gone")


def _nobody_at_work(ref: TenantRef) -> None:
    if Lane.objects.filter(tenant_schema=ref.schema, leased_until__gt=Now()).exists():
        raise NotPossible(f"A worker is at work for {ref.slug}. Try again in a minute.")


def _forget(ref: TenantRef) -> None:
    """Rows of the shared tables, and what is cached."""
    with tenant_scope(ref):
        cache.clear()
    with public_scope():
        for model in shared_models():
            model._base_manager.filter(tenant_schema=ref.schema).delete()


def _audit(actor: Actor, action: str, slug: str, **detail: object) -> None:
    """In the platform's log: the tenant's own goes with it."""
    own = platform()
    if own is not None:
        with tenant_scope(own.ref):
            record(actor, action, slug, **detail)


def _folders() -> list[Path]:
    root = Path(settings.MEDIA_ROOT)
    return [path for path in root.iterdir() if path.is_dir()] if root.is_dir() else []


def _alone(schema: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_ALONE, [f"files:{schema}"])
        return bool(cursor.fetchone()[0])
