"""Sign-ups that found no spare schema: kept in a row until the worker has made their tenant, tried again, given up, removed.

The row is what is owed; a wake-up only makes it quick. Everything that a try does is one transaction, so a process that is killed
at any point leaves the row as it was, and the next one begins anew.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext

from plugin_framework.audit import Actor, record
from plugin_framework.delivery.failpoints import failpoint
from plugin_framework.masking import know, masked
from plugin_framework.sdk._words import Phrase
from plugin_framework.tenancy import PUBLIC, TenantRef, public_scope, tenant_scope
from plugin_framework.tenancy_directory import platform
from tenants import blueprint, owed
from tenants.accounts import people
from tenants.accounts.tokens import keep_handoff
from tenants.models import SignUp, State, Tenant
from tenants.names import new_schema_name
from tenants.operations import NotPossible, locked
from tenants.provisioning import claim, settle

log = logging.getLogger(__name__)
MOST_TRIES = 5
WAITS = (
    5.0,
    30.0,
    120.0,
    600.0,
)  # seconds after a try that failed; one that was interrupted is made again after one second
ARRIVES_WITHIN = timedelta(hours=1)  # whoever comes later signs in with their password
FAILED = Phrase(
    "Something went wrong, and the people who run this site have been told. Nothing that you entered is lost: come back later."
)
_INTERRUPTED = Phrase("The processes that were making it were stopped each time, before they could say why.")

# One whose process dies is soon due again, behind the others that wait: if it is what kills them, they are served first.
_BEGIN = """
UPDATE public.tenants_signup SET tries = tries + 1, next_try_at = clock_timestamp() + interval '1 second' WHERE tenant_id = (
    SELECT tenant_id FROM public.tenants_signup WHERE given_up_at IS NULL AND next_try_at <= clock_timestamp()
    ORDER BY next_try_at, tenant_id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING tenant_id, tries
"""
_NEXT = """
SELECT extract(epoch FROM min(next_try_at) - clock_timestamp())::float8 FROM public.tenants_signup WHERE given_up_at IS NULL
"""
COUNT = "SELECT count(*) FILTER (WHERE given_up_at IS NULL), count(given_up_at) FROM public.tenants_signup"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """How many tenants are still being set up. `given_up`: those that wait for somebody to look at them."""

    waiting: int
    given_up: int


def count() -> Unfinished:
    """How many there are now."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(COUNT)
        return Unfinished(*cursor.fetchone())


def put_down(
    slug: str, name: str, actor: Actor, *, email: str, password_hash: str, owner: str, token_hash: str
) -> TenantRef:
    """Take the address and put down what is needed to make the tenant; the worker does, once this transaction is committed.

    Args:
        owner: their name. `password_hash`: as `make_password` gives it; the password itself is kept nowhere.
        token_hash: of the token with which the owner arrives, within two minutes of the tenant's being there.

    Raises:
        SlugTaken: somebody has the address.
    """
    with transaction.atomic():
        ref = claim(slug, name, new_schema_name(), State.PROVISIONING)
        with public_scope():
            SignUp.objects.create(
                tenant=Tenant.objects.get(schema_name=ref.schema),
                actor=actor.label[:200],
                email=email,
                name=owner,
                password_hash=password_hash,
                token_hash=token_hash,
            )
        owed.ask()
        failpoint("sign_up_put_down")
    return ref


def finish_next() -> bool:
    """Make the tenant that has waited longest; False if none is due. A failure is put down, and is no exception here."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(_BEGIN)  # committed by itself: a try counts even if its process does not live to say so
        found = cursor.fetchone()
    if found is None:
        return False
    number, tries = found
    failpoint("sign_up_begun")
    if tries > MOST_TRIES:
        _failed(number, MOST_TRIES, _INTERRUPTED.text)
        return True
    try:
        _finish(number)
    except Exception as error:  # whatever is wrong with one, the others go on
        log.exception("Making the tenant of sign-up %s failed, try %s", number, tries)
        _failed(number, tries, masked(f"{type(error).__name__}: {error}".strip()))
    return True


def next_in() -> float | None:
    """Seconds until the next try is due, none of which is now; None if nobody waits for one."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(_NEXT)
        found = cursor.fetchone()[0]
    return None if found is None else max(float(found), 0.0)


def _finish(number: int) -> None:
    with transaction.atomic():
        row = _locked(number)
        if row is None:  # somebody else is at it, or has removed it
            return
        know([row.password_hash, row.token_hash], PUBLIC, typed=True)  # the database may quote the row that it refuses
        with public_scope():
            ref = row.tenant.ref()
        blueprint.hold()
        blueprint.make(ref)
        settle(ref, Actor(row.actor), partial(_arrive, row))
        with public_scope():
            row.tenant.state = State.ACTIVE
            row.tenant.save()
            row.delete()
        failpoint("sign_up_finished")


def _locked(number: int) -> SignUp | None:
    with public_scope():
        rows = SignUp.objects.select_for_update(skip_locked=True).select_related("tenant")
        found: SignUp | None = rows.filter(pk=number, tenant__state=State.PROVISIONING).first()
        return found


def _arrive(row: SignUp) -> None:
    """The owner, and the token with which their browser, which has been asking for the page all the time, gets in."""
    owner = people.add_first(row.email, row.password_hash, name=row.name, actor=Actor(row.actor))
    if timezone.now() - row.asked_at < ARRIVES_WITHIN:
        keep_handoff(owner, row.token_hash)
    failpoint("owner_added")


def _failed(number: int, tries: int, error: str) -> None:
    """Put down why, and when it is tried again; after the last try it waits for somebody, and its page says so."""
    last = tries >= MOST_TRIES
    with public_scope(), transaction.atomic():
        tenant = Tenant.objects.select_for_update().filter(pk=number).first()  # first this one, as `_unfinished` does
        row = SignUp.objects.select_for_update().filter(pk=number).first()
        if tenant is None or row is None:
            return
        row.error = error[:500]
        row.given_up_at = Now() if last else None
        row.next_try_at = Now() + timedelta(seconds=WAITS[min(tries, len(WAITS)) - 1])
        row.save()
        Tenant.objects.filter(pk=number).update(state_message=FAILED.text if last else tenant.state_message)


def retry(slug: str, actor: Actor) -> None:
    """Have a tenant that could not be set up tried again, from the first try on.

    Raises:
        NoSuchTenant: nobody has this slug. NotPossible: it is not being set up.
    """
    with transaction.atomic():
        row = _unfinished(slug)
        with public_scope():
            SignUp.objects.filter(pk=row.pk).update(tries=0, error="", given_up_at=None, next_try_at=Now())
            Tenant.objects.filter(pk=row.pk).update(state_message="")
        _audit(actor, "tenant.retried", slug)
        owed.ask()


def remove(slug: str, actor: Actor) -> None:
    """Remove a tenant that is still being set up: its address is free again. There is no data of it yet.

    Raises:
        NoSuchTenant: nobody has this slug. NotPossible: it is not being set up.
    """
    with transaction.atomic():
        row = _unfinished(slug)
        tenant = row.tenant
        _audit(actor, "tenant.removed", slug, name=tenant.name, owner=row.email)
        with public_scope():
            row.delete()
            tenant.domains.all().delete()
            Tenant.objects.filter(pk=tenant.pk).delete()


def _unfinished(slug: str) -> SignUp:
    """Locked: a try that is under way ends first, and may leave nothing to do."""
    tenant = locked(slug)
    with public_scope():
        row = SignUp.objects.select_for_update().filter(pk=tenant.pk).first()
        if row is None or tenant.state != State.PROVISIONING:
            raise NotPossible(gettext("%(name)s is not being set up any more.") % {"name": tenant.name})
        row.tenant = tenant
        return row


def _audit(actor: Actor, action: str, slug: str, **detail: object) -> None:
    """In the platform's log; the tenant has none yet."""
    own = platform()
    if own is not None:
        with tenant_scope(own.ref):
            record(actor, action, slug, **detail)
