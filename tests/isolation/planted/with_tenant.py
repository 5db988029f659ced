"""As `with tenant:` of django-tenants 4.0.1: where each thread came from is kept in one list of the class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from plugin_framework import tenancy

_previous: list[tenancy.Scope | None] = []


@contextmanager
def _entered(scope: tenancy.Scope) -> Iterator[None]:
    _previous.append(tenancy.current_scope())
    tenancy._scope.set(scope)
    try:
        yield
    finally:
        for callback in reversed(scope.on_exit):
            callback()
        tenancy._scope.set(_previous.pop())


def plant() -> None:
    """Enter and leave scopes so."""
    tenancy._entered = _entered
