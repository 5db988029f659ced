"""Writes what staff decides about a plugin into audit logs: the platform's own, or nothing is decided, and those of all it touches.

An organisation whose log cannot take it keeps nobody from deciding about the others: the platform's log says that it lacks there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import batched

from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from plugin_framework import tenancy_directory
from plugin_framework.audit import Actor, record
from plugin_framework.tenancy import TenantRef, tenant_scope

log = logging.getLogger(__name__)
AT_ONCE = 500  # tenants told in one transaction: each costs two round trips and a few locks
PATIENCE = 500  # milliseconds for which a decision waits for an organisation's locked log
NAMED = 20  # organisations in a sentence


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a decision; true if anything changed.

    Attributes:
        untold: the organisations that it touches and whose audit logs could not take it.
    """

    changed: bool
    untold: tuple[TenantRef, ...] = ()

    def __bool__(self) -> bool:
        return self.changed

    @property
    def warning(self) -> str:
        """What staff has to know of those that are `untold`; "" if nobody is."""
        if not self.untold:
            return ""
        names = ", ".join(ref.name for ref in self.untold[:NAMED]) + (", …" if len(self.untold) > NAMED else "")
        said = _(
            "The decision holds everywhere, but it could not be written into the audit log of: %(names)s. The tables there are damaged or "
            "locked; the page of each organisation says more. The platform’s own log names them."
        )
        return said % {"names": names}


@dataclass(frozen=True, slots=True)
class Telling:
    """One decision, as it stands in the logs.

    `first` goes into the transaction that decides, and `others` follows at once, in transactions of its own: a large fleet's entries
    do not fit into one.
    """

    affected: Sequence[TenantRef]
    action: str
    plugin: str
    actor: Actor
    detail: Mapping[str, object]

    def first(self) -> list[TenantRef]:
        """Tell the platform, and the first `AT_ONCE` organisations. Those that could not be told."""
        tell_platform(self.action, self.plugin, self.actor, organisations=len(self.affected), **self.detail)
        return self._tell(self.affected[:AT_ONCE])

    def others(self) -> list[TenantRef]:
        """Tell all other organisations. Those that could not be told."""
        untold: list[TenantRef] = []
        for some in batched(self.affected[AT_ONCE:], AT_ONCE):
            with transaction.atomic():
                untold += self._tell(some)
        return untold

    def _tell(self, refs: Sequence[TenantRef]) -> list[TenantRef]:
        with _no_long_wait():
            untold = self._untold(refs)
        if untold:
            slugs = [ref.slug for ref in untold]
            tell_platform("catalog.not_recorded", self.plugin, self.actor, decision=self.action, which=slugs)
        return untold

    def _untold(self, refs: Sequence[TenantRef]) -> list[TenantRef]:
        """Tell `refs` and say which of them cannot be told.

        The usual case costs one savepoint, and each that fails two more.
        """
        untold: list[TenantRef] = []
        while (failed := self._first_that_fails(refs)) is not None:
            untold += [*self._untold(refs[:failed]), refs[failed]]  # their entries went back with the savepoint
            refs = refs[failed + 1 :]
        return untold

    def _first_that_fails(self, refs: Sequence[TenantRef]) -> int | None:
        """Tell all of `refs`, or none and say at which of them it failed."""
        at = 0
        try:
            with transaction.atomic():
                for at, ref in enumerate(refs):  # noqa: B007  # it is read where it failed
                    with tenant_scope(ref):
                        record(self.actor, self.action, self.plugin, **self.detail)
        except DatabaseError:
            if connection.connection is None or connection.connection.closed:
                raise  # the database itself went away: nothing is decided
            log.exception("%s of %s is not in the audit log of %s", self.action, self.plugin, refs[at].slug)
            return at
        return None


@contextmanager
def _no_long_wait() -> Iterator[None]:
    """A decision does not stand in line behind whoever has locked an organisation's tables, and keeps nobody in line behind itself."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        (before,) = cursor.fetchone()
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{PATIENCE}ms"])
    yield
    with connection.cursor() as cursor:  # what failed in between took the transaction along, and the setting with it
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [before])


def tell_platform(action: str, plugin: str, actor: Actor, **detail: object) -> None:
    """Write it into the platform's own log."""
    own = tenancy_directory.platform()
    if own is not None:
        with tenant_scope(own.ref):
            record(actor, action, plugin, **detail)
