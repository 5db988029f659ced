"""How the engine finds a tenant by its schema, without importing `tenants`, which binds itself here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from plugin_framework.tenancy import TenantRef


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A tenant and whether it may work now (one that may not is kept waiting, not dropped)."""

    ref: TenantRef
    active: bool


PLATFORM = "platform"  # the schema of the platform's own tenant

type Finder = Callable[[str], DirectoryEntry | None]
type Lister = Callable[[], Iterable[DirectoryEntry]]

_find: Finder | None = None
_all: Lister | None = None


def bind(find: Finder, everyone: Lister) -> None:
    """Called once, by the tenants app's ``ready``."""
    global _find, _all
    _find, _all = find, everyone


def find(schema: str) -> DirectoryEntry | None:
    """The tenant that owns `schema`, or None when it is gone."""
    if _find is None:
        raise RuntimeError("No tenant directory is bound: the app `tenants` must be installed and ready.")
    return _find(schema)


def everyone() -> Iterable[DirectoryEntry]:
    """All tenants that have their schema, whether they are served now or not."""
    if _all is None:
        raise RuntimeError("No tenant directory is bound: the app `tenants` must be installed and ready.")
    return _all()


def platform() -> DirectoryEntry | None:
    """The platform's own tenant, which receives the errors of the public host."""
    return find(PLATFORM)
