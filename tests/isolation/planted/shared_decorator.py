"""As `@tenant_context` of django-tenants 4.0.1: one object for all threads keeps where each of them came from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from plugin_framework import tenancy

_came_from: dict[str, tenancy.Scope | None] = {}  # by place: a decorator is made once, for the function it decorates


@contextmanager
def _entered(scope: tenancy.Scope) -> Iterator[None]:
    _came_from[scope.search_path] = tenancy.current_scope()
    tenancy._scope.set(scope)
    try:
        yield
    finally:
        for callback in reversed(scope.on_exit):
            callback()
        tenancy._scope.set(_came_from[scope.search_path])


def plant() -> None:
    """Enter and leave scopes so."""
    tenancy._entered = _entered
