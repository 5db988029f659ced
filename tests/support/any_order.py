"""What the state machine of `tests/isolation/test_any_order_of_things.py` works with: three tenants with their marks, and what is open."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import person
from tenants.accounts.models import User
from tenants.provisioning import create_tenant
from tests.conftest import Tenants


class Undone(Exception):
    """Raised to roll a transaction back."""


@dataclass
class Subject:
    """A tenant, the mark in its rows, and somebody loaded there."""

    ref: TenantRef
    mark: str
    someone: Any
    enabled: bool = True
    signed: str = ""
    files: list[str] = field(default_factory=list)


@dataclass
class Entered:
    """A scope, or a transaction (`slug` is then None), that is open."""

    manager: AbstractContextManager[Any]
    kind: str
    slug: str | None = None


class World:
    """What all runs share: three tenants with their marks."""

    def __init__(self, tenants: Tenants) -> None:
        third = create_tenant("initech", "Initech", SYSTEM)
        refs = {"acme": tenants.acme, "globex": tenants.globex, "initech": third}
        self.subjects = {slug: self._subject(ref) for slug, ref in refs.items()}

    @staticmethod
    def _subject(ref: TenantRef) -> Subject:
        mark = token_hex(8)
        someone = person(ref, "owner")
        with tenant_scope(ref):
            User.objects.filter(pk=someone.pk).update(name=mark)
            configuration.configure("prober", SYSTEM, {"mark": mark})
            lifecycle.enable("prober", SYSTEM)
            return Subject(ref, mark, User.objects.get())
