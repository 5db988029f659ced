"""`manage.py tenants`: list, create, suspend and resume organisations."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from plugin_framework.audit import COMMAND_LINE
from plugin_framework.tenancy import public_scope
from saas.cli import show
from tenants import operations, provisioning
from tenants.models import Tenant


class Command(BaseCommand):
    """The same functions and errors as the pages."""

    help = "List, create, suspend and resume organisations."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("list", "create", "suspend", "resume"))
        parser.add_argument("slug", nargs="?", help="the organisation's address, without the domain")
        parser.add_argument("--name", help="create: the organisation's name")
        parser.add_argument("--message", default="", help="suspend: shown to everybody who comes")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    def handle(self, *args: Any, action: str, slug: str | None, as_json: bool, **options: Any) -> None:
        if action == "list":
            return self._list(as_json)
        if slug is None:
            raise CommandError(f"Say which organisation: tenants {action} SLUG")
        try:
            done = self._act(action, slug, **options)
        except (
            provisioning.SlugTaken,
            provisioning.SlugRefused,
            operations.NoSuchTenant,
            operations.NotPossible,
        ) as error:
            raise CommandError(str(error)) from error
        return show(self, [done], as_json=as_json, empty="")

    def _list(self, as_json: bool) -> None:
        with public_scope():
            rows = [
                {
                    "slug": t.slug,
                    "name": t.name,
                    "state": t.state,
                    "schema": t.schema_name,
                    "created": f"{t.created_at:%Y-%m-%d}",
                }
                for t in Tenant.objects.all()
            ]
        show(self, rows, as_json=as_json, empty="There is no organisation yet: tenants create SLUG --name NAME")

    def _act(self, action: str, slug: str, **options: Any) -> dict[str, Any]:
        if action == "create":
            ref = provisioning.create_tenant(slug, options["name"] or slug, COMMAND_LINE)
            return {"slug": ref.slug, "host": ref.host, "schema": ref.schema}
        if action == "suspend":
            operations.suspend(slug, options["message"], COMMAND_LINE)
        else:
            operations.resume(slug, COMMAND_LINE)
        return {"slug": slug, "done": "suspended" if action == "suspend" else "resumed"}
