"""`manage.py citus`: prepare a Citus cluster for tenants, look at it, and find what it would refuse."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from plugin_framework.citus import cluster
from plugin_framework.citus.check import findings
from plugin_framework.tenancy_directory import everyone
from saas.cli import show


class Command(BaseCommand):
    """Moving a tenant is Citus' own `citus_schema_move`; see docs/howto/scale-out-with-citus.md."""

    help = "Citus: prepare the database for it, say how the cluster stands, or check the migrations."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("prepare", "status", "check"))
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    def handle(self, *args: Any, action: str, as_json: bool, **options: Any) -> None:
        try:
            {"prepare": self._prepare, "status": self._status, "check": self._check}[action](as_json)
        except cluster.CitusError as error:
            raise CommandError(str(error)) from error
        except OperationalError as error:
            raise CommandError(f"The database cannot be reached: {str(error).strip()}") from error
        except ProgrammingError as error:
            raise CommandError(f"The tables are missing; run `manage.py migrate_tenants` first. ({error})") from error

    def _prepare(self, as_json: bool) -> None:
        done = cluster.prepare()
        if as_json:
            self.stdout.write(json.dumps({"registered": done}))
            return
        said = f"Registered {', '.join(done)}" if done else "Every table that takes part was registered already"
        self.stdout.write(f"{said}: what tenants' transactions write there is committed together with their own rows.")
        if not settings.CITUS:
            self.stdout.write("CITUS is off: new organisations stay on this server until it is set for all processes.")

    def _status(self, as_json: bool) -> None:
        cluster.version()
        slugs = {entry.ref.schema: entry.ref.slug for entry in everyone()}
        found = cluster.status(slugs)
        lacking = [f"{slugs[schema]} ({schema})" for schema in found.not_spread]
        if as_json:
            self.stdout.write(json.dumps({**asdict(found), "citus": settings.CITUS}, indent=2))
            return
        self.stdout.write(f"Citus {found.version}; CITUS is {'on' if settings.CITUS else 'off'}.")
        show(self, [asdict(node) for node in found.nodes], as_json=False, empty="The cluster has no nodes yet.")
        self.stdout.write(f"Not registered: {', '.join(found.not_registered) or 'none'}")
        self.stdout.write(f"Organisations on the coordinator alone: {', '.join(lacking) or 'none'}")
        for name, value in found.settings.items():
            self.stdout.write(f"{name} = {value}")

    def _check(self, as_json: bool) -> None:
        found = findings()
        if as_json:
            self.stdout.write(json.dumps([asdict(each) for each in found], indent=2))
        elif not found:
            self.stdout.write("No migration does what Citus refuses.")
        if found:
            raise CommandError("\n".join(f"{each} {each.remedy}" for each in found))
