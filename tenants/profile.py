"""What an organisation says of itself, for its own people to change: its name and its time zone."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction
from django.db.utils import DataError
from django.utils.translation import gettext

from plugin_framework import zones
from plugin_framework.audit import Actor, record
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.tenancy import current_tenant, public_scope
from tenants.models import Tenant
from tenants.operations import NotPossible, locked


@dataclass(frozen=True, slots=True)
class Profile:
    """The organisation's name, as its people read it, and the IANA name of the time zone in which they read dates."""

    name: str
    timezone: str


def change(wanted: Profile, actor: Actor) -> bool:
    """Give the current tenant this name and time zone, from its next request on.

    Returns:
        Whether anything changed.

    Raises:
        NotPossible: the name is empty or too long, or there is no such time zone.
    """
    wanted = Profile(wanted.name.strip(), wanted.timezone)
    _check(wanted)
    with transaction.atomic():
        tenant = locked(current_tenant().slug)
        before = Profile(tenant.name, tenant.timezone)
        if wanted == before:
            return False
        with public_scope():
            Tenant.objects.filter(pk=tenant.pk).update(name=wanted.name, timezone=wanted.timezone)
        bump_tenant()  # its plugins were told the old ones when they were started
        changed = {
            field: f"{getattr(before, field)} → {getattr(wanted, field)}"
            for field in ("name", "timezone")
            if getattr(before, field) != getattr(wanted, field)
        }
        record(actor, "tenant.profile_changed", tenant.slug, **changed)
        return True


def _check(wanted: Profile) -> None:
    if not wanted.name or len(wanted.name) > 100:
        raise NotPossible(gettext("An organisation’s name has 1 to 100 characters."))
    if not zones.is_known(wanted.timezone) or not _known_to_the_database(wanted.timezone):
        raise NotPossible(
            gettext("There is no time zone “%(timezone)s” here. Choose one of the list.")
            % {"timezone": wanted.timezone[:64]}
        )


def _known_to_the_database(name: str) -> bool:
    """PostgreSQL has a list of its own, and asks for days in the tenant's zone fail when a name is not in it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT now() AT TIME ZONE %s", [name])
    except DataError:
        return False
    return True
