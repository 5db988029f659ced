"""`manage.py migrate_tenants`: the shared schema and every tenant's."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.migrations.autodetector import MigrationAutodetector

from plugin_framework.citus.cluster import CitusError
from saas.cli.progress import Progress
from tenants import fleet
from tenants.fleet import Options, Outcome, Plan, UnknownCanary


class Command(BaseCommand):
    """A tenant that fails is reported; the others are migrated, and the exit code says so. Run again, it goes on where it was."""

    help = "Migrate the shared schema and every tenant that is behind, with the plugins each one has."
    autodetector = MigrationAutodetector  # Django's checks ask every migrate command for it

    def add_arguments(self, parser: ArgumentParser) -> None:
        usual = Options()
        parser.add_argument("--jobs", type=int, default=4, help="tenants at the same time (default: %(default)s)")
        parser.add_argument(
            "--canary",
            action="append",
            default=[],
            metavar="SLUG",
            help="goes first; if it fails, nobody else is begun",
        )
        parser.add_argument(
            "--max-failures", type=int, default=usual.max_failures, help="stop after so many (default: %(default)s)"
        )
        parser.add_argument("--lock-timeout", type=float, default=usual.lock_timeout, metavar="SECONDS")
        parser.add_argument("--plan", action="store_true", help="only say who is behind, and what they lack")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print a report per tenant as JSON")

    def handle(self, *args: Any, as_json: bool, **options: Any) -> None:
        try:
            chosen = Options(
                jobs=options["jobs"],
                canaries=tuple(options["canary"]),
                max_failures=options["max_failures"],
                lock_timeout=options["lock_timeout"],
            )
            if options["plan"]:
                return self._tell(fleet.plan(chosen), as_json)
            self._run(chosen, as_json, options["verbosity"])
        except (ValueError, UnknownCanary, CitusError) as error:
            raise CommandError(str(error)) from error
        return None

    def _tell(self, plan: Plan, as_json: bool) -> None:
        rows = [{"tenant": ref.slug, "schema": ref.schema, **asdict(lacks)} for ref, lacks in plan.waiting]
        if as_json:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for ref, lacks in plan.waiting:
            self.stdout.write(f"{ref.slug}: {lacks}")
        self.stdout.write(f"{len(plan.waiting)} behind, {plan.current} up to date.")

    def _run(self, options: Options, as_json: bool, verbosity: int) -> None:
        outcomes = [fleet.migrate_public()]
        plan = fleet.plan(options)
        if not as_json:
            self._say(outcomes[0], verbosity)
        with Progress(self.stderr, len(plan.waiting), "tenants") as progress:
            for outcome in fleet.migrate_tenants(plan, options):
                outcomes.append(outcome)
                progress.step(failed=bool(outcome.error))
                if not as_json:
                    self._say(outcome, verbosity)
        left = len(plan.waiting) - len(outcomes) + 1
        if as_json:
            self.stdout.write(json.dumps([asdict(each) for each in outcomes], indent=2))
        elif plan.waiting or verbosity > 1:
            done = sum(not each.error for each in outcomes[1:])
            self.stdout.write(f"{done} migrated, {plan.current} were up to date.")
        self._judge([each.who for each in outcomes if each.error], left)

    def _say(self, outcome: Outcome, verbosity: int) -> None:
        if outcome.error:
            self.stderr.write(f"{outcome.who}: {outcome.error}")
        elif outcome.applied or verbosity > 1:
            self.stdout.write(f"{outcome.who}: {len(outcome.applied)} migrations applied")
        for found in outcome.unfit:
            self.stdout.write(f"{outcome.who}: {found.plugin} needs setup: {found.problem}")

    @staticmethod
    def _judge(failed: list[str], left: int) -> None:
        if failed:
            rest = (
                f" {left} were not begun: correct the fault and run it again." if left else " Run it again afterwards."
            )
            raise CommandError(f"{len(failed)} of the tenants could not be migrated: {', '.join(failed[:10])}.{rest}")
