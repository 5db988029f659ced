"""`manage.py tenants`: list and create organisations, their plans and what they use, the pool, and all that ends one or brings it back."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from plugin_framework import quotas
from plugin_framework.audit import COMMAND_LINE
from plugin_framework.catalog import plans
from plugin_framework.tenancy import public_scope, tenant_scope
from saas.cli import hosts, lives, show, tenant_called
from saas.cli.progress import Progress
from saas.links import url_of
from tenants import many, operations, provisioning, spares, waiting
from tenants.accounts import people
from tenants.accounts.models import Role
from tenants.models import Tenant


class Command(BaseCommand):
    """The same functions and errors as the pages."""

    help = "List, create, suspend, resume, delete and restore organisations, change their plan, see what they use; fill the pool."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = (
            "list",
            "create",
            "suspend",
            "resume",
            "plan",
            "usage",
            "retry",
            "spares",
            *hosts.ACTIONS,
            *lives.ACTIONS,
        )
        parser.add_argument("action", choices=actions)
        parser.add_argument("slug", nargs="?", help="the organisation's address, without the domain")
        parser.add_argument("--name", help="create: the organisation's name")
        parser.add_argument("--owner", metavar="EMAIL", help="create: prints a link with which they become its owner")
        parser.add_argument(
            "--many", type=int, metavar="N", help="create: so many at once, for load tests and demonstrations"
        )
        parser.add_argument(
            "--prefix", default="load", help="create --many: they are called PREFIX-1, PREFIX-2, … (default: load)"
        )
        parser.add_argument(
            "--jobs", type=int, default=2, help="create --many: at the same time (default: %(default)s)"
        )
        parser.add_argument("--fill", action="store_true", help="spares: make those that are missing, now")
        parser.add_argument("--plan", default="", help="plan: its name in addresses; without it the plan is taken away")
        parser.add_argument("--message", default="", help="suspend: shown to everybody who comes")
        parser.add_argument("--host", default="", help="add-host, remove-host: which, as app.example.com")
        lives.add_arguments(parser)
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    def handle(self, *args: Any, action: str, slug: str | None, as_json: bool, **options: Any) -> None:
        if action == "list":
            return self._list(as_json)
        if action == "spares":
            return show(self, [_spares(options["fill"])], as_json=as_json, empty="")
        if action == "create" and options["many"] is not None:
            return self._create_many(options["many"], options["prefix"], options["jobs"], as_json)
        if slug is None:
            raise CommandError(f"Say which organisation: tenants {action} SLUG")
        if action == "usage":
            return show(self, _usage(slug), as_json=as_json, empty="")
        try:
            done = self._act(action, slug, **options)
        except (
            provisioning.SlugTaken,
            provisioning.SlugRefused,
            operations.NoSuchTenant,
            operations.NotPossible,
            plans.PlanError,
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

    def _create_many(self, count: int, prefix: str, jobs: int, as_json: bool) -> None:
        rows = []
        try:
            with Progress(self.stderr, count, "organisations") as progress:
                for ref in many.make_many(count, prefix, COMMAND_LINE, jobs=jobs):
                    rows.append({"slug": ref.slug, "host": ref.host, "schema": ref.schema})
                    progress.step()
        except (ValueError, provisioning.SlugTaken) as error:
            raise CommandError(f"{error} {len(rows)} were made." if rows else str(error)) from error
        if as_json:
            show(self, rows, as_json=True, empty="")
        else:
            self.stdout.write(f"{len(rows)} organisations made, from {rows[0]['slug']} on.")

    def _act(self, action: str, slug: str, **options: Any) -> dict[str, Any]:
        if action == "create":
            return _create(slug, options["name"] or slug, options["owner"])
        if action == "plan":
            operations.change_plan(slug, options["plan"], COMMAND_LINE)
            return {"slug": slug, "plan": options["plan"] or "none"}
        if action in hosts.ACTIONS:
            return hosts.act(action, slug, options["host"])
        if action in lives.ACTIONS:
            return lives.act(action, slug, options)
        if action == "retry":
            waiting.retry(slug, COMMAND_LINE)
        elif action == "suspend":
            operations.suspend(slug, options["message"], COMMAND_LINE)
        else:
            operations.resume(slug, COMMAND_LINE)
        return {"slug": slug, "done": {"retry": "tried again", "suspend": "suspended", "resume": "resumed"}[action]}


def _spares(fill: bool) -> dict[str, Any]:
    """What the pool holds, and who waits although there is one."""
    while fill and spares.tend():
        pass
    pool, unfinished = spares.count(), waiting.count()
    return {
        "ready": pool.ready,
        "wanted": settings.SPARE_SCHEMAS,
        "stale": pool.stale,
        "waiting": unfinished.waiting,
        "given_up": unfinished.given_up,
    }


def _usage(slug: str) -> list[dict[str, Any]]:
    with tenant_scope(tenant_called(slug)):
        return [
            {"what": usage.kind.value, "used": usage.used, "limit": usage.limit, "level": usage.level.value}
            for usage in quotas.usages()
        ]


@transaction.atomic
def _create(slug: str, name: str, owner: str | None) -> dict[str, Any]:
    ref = provisioning.create_tenant(slug, name, COMMAND_LINE)
    row = {"slug": ref.slug, "host": ref.host, "schema": ref.schema}
    if owner is None:
        return row
    try:
        validate_email(owner)
    except ValidationError as error:
        raise CommandError(f"{owner!r} is not an e-mail address.") from error
    with tenant_scope(ref):
        token = people.invite(owner, Role.OWNER, COMMAND_LINE)
    return {**row, "invitation": url_of(ref.host, f"/register/?{urlencode({'invitation': token})}")}
