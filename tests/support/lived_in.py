"""A tenant with something of everything: people, secrets, rows of plugins, files, cache, deliveries; each with a text to look for."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from secrets import token_hex

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client

from plugin_framework import configuration, hooks, lifecycle
from plugin_framework.audit import SYSTEM, record
from plugin_framework.catalog.models import CatalogGrant
from plugin_framework.delivery import breaker
from plugin_framework.sdk import ErrorReport
from plugin_framework.system_errors import report
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from plugins.orders_plugin import services as orders
from plugins.orders_plugin.services import LineInput, OrderInput
from plugins.webhooks_plugin import services as webhooks
from plugins.webhooks_plugin.models import Endpoint
from saas.testing.people import PASSWORD
from tenants.accounts.models import User
from tests.support.canaries import dump


@dataclass(frozen=True)
class LivedIn:
    """The tenant, and the text that is in all it has; `secret` is sealed wherever it is."""

    ref: TenantRef
    canary: str = field(default_factory=lambda: f"canary{token_hex(8)}")

    @property
    def secret(self) -> str:
        return f"https://hooks.slack.com/services/T0/B0/{self.canary}"

    @property
    def owner(self) -> str:
        return f"{self.canary}@people.example"


def move_in(ref: TenantRef) -> LivedIn:
    """Let the tenant have something of everything."""
    found = LivedIn(ref)
    with tenant_scope(ref):
        owner = User.objects.create_user(found.owner, PASSWORD, name=found.canary, role="owner")
        EmailAddress.objects.create(user=owner, email=found.owner, verified=True, primary=True)
        configuration.configure("slack_notifications", SYSTEM, {}, secrets={("webhook_url",): found.secret})
        configuration.configure("invoices", SYSTEM, {"seller_address": found.canary})
        for plugin in ("slack_notifications", "orders", "invoices", "announcements", "webhooks"):
            lifecycle.enable(plugin, SYSTEM)
        webhooks.add(
            Endpoint(url=f"https://receiver.example/{found.canary}"), owner
        )  # with a secret in a table of its own
        line = LineInput(found.canary, 1, Decimal("9.99"))
        order = orders.create(OrderInput("Carl", "carl@example.com", "EUR", (line,), found.canary), owner)
        orders.confirm(order.pk, owner)
        hooks.emit("system_error", ErrorReport(found.canary, "E", "x", "/", "f" * 16, "2026-01-01T00:00:00Z"))
        breaker.pause("announcements", SYSTEM)
        report(ValueError(found.canary), "/")
        default_storage.save("invoices/bill.txt", ContentFile(found.canary.encode()))
        cache.set("greeting", found.canary)
        record(SYSTEM, "person.registered", found.canary)
        Client(headers={"host": ref.host}).force_login(owner)
    with public_scope():
        CatalogGrant.objects.create(plugin="orders", tenant_schema=ref.schema)
    return found


def traces(lived: LivedIn) -> list[str]:
    """Where anything of it is left: tables with its text, or with the name of its schema; schemas; files.

    The platform keeps which schema its staff and its mails dealt with, and whose host it was; the text must be nowhere.
    """
    found = []
    for table, rows in dump():
        shared = table.startswith("public.") and table != "public.tenants_retiredhost"
        if lived.canary in rows or (shared and lived.ref.schema in rows):
            found.append(table)
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT nspname::text FROM pg_namespace WHERE nspname = %s", [lived.ref.schema])
        found += [f"schema {name}" for (name,) in cursor.fetchall()]
    root = Path(settings.MEDIA_ROOT)
    return found + [str(path) for path in (root.rglob("*") if root.exists() else ()) if lived.ref.schema in str(path)]
