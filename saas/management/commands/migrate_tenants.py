"""`manage.py migrate_tenants`: the shared schema and every tenant's."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.migrations.autodetector import MigrationAutodetector

from plugin_framework.citus.cluster import CitusError
from plugin_framework.tenancy import TenantRef
from saas.cli.progress import Progress
from saas.cli.stopping import Stopping, stopping
from tenants import fleet
from tenants.behind import Behind
from tenants.fleet import Options, Outcome, Plan, UnknownTenant

MOST_NAMED = 10


class Command(BaseCommand):
    """A tenant that fails is reported; the others are migrated, and the exit code says so. Run again, it goes on where it was."""

    help = (
        "Migrate the shared schema and every tenant that is behind, with the plugins each one has. Older code may go on serving meanwhile; "
        "what it could not live with waits for --finish. See docs/operations/deploying.md."
    )
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
            "--tenant", action="append", default=[], metavar="SLUG", help="this one alone, beside the shared schema"
        )
        parser.add_argument(
            "--finish",
            action="store_true",
            help="the last process with older code has stopped: also take away what it used, and save settings in their newest shape",
        )
        parser.add_argument(
            "--max-failures", type=int, default=usual.max_failures, help="stop after so many (default: %(default)s)"
        )
        parser.add_argument("--lock-timeout", type=float, default=usual.lock_timeout, metavar="SECONDS")
        parser.add_argument(
            "--plan", "--dry-run", action="store_true", help="only say who is behind, and what they lack"
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="print a report per tenant as JSON")

    def handle(self, *args: Any, as_json: bool, **options: Any) -> None:
        try:
            chosen = Options(
                jobs=options["jobs"],
                canaries=tuple(options["canary"]),
                only=tuple(options["tenant"]),
                max_failures=options["max_failures"],
                lock_timeout=options["lock_timeout"],
                finish=options["finish"],
            )
            if options["plan"]:
                return self._tell(fleet.plan(chosen), as_json)
            with stopping(self._on_stop) as stop:
                self._run(chosen, stop, as_json, options["verbosity"])
        except (ValueError, UnknownTenant, CitusError) as error:
            raise CommandError(str(error)) from error
        return None

    def _on_stop(self) -> None:
        self.stderr.write("Finishing the tenants under way, and beginning no other; once more ends at once.")

    def _tell(self, plan: Plan, as_json: bool) -> None:
        if as_json:
            rows = [*map(_row, plan.waiting), *({**_row(each), "later": True} for each in plan.later)]
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for ref, lacks in plan.waiting:
            self.stdout.write(f"{ref.slug}: {lacks}")
        for ref, lacks in plan.later:
            self.stdout.write(f"{ref.slug}, with --finish: {lacks}")
        self.stdout.write(f"{len(plan.waiting)} behind, {plan.current} up to date.")

    def _run(self, options: Options, stop: Stopping, as_json: bool, verbosity: int) -> None:
        outcomes = [fleet.migrate_public(options)]
        if not as_json:
            self._say(outcomes[0], verbosity)
        plan = fleet.plan(options) if not outcomes[0].error else Plan((), 0)
        with Progress(self.stderr, len(plan.waiting), "tenants") as progress:
            for outcome in fleet.migrate_tenants(plan, options, lambda: stop.asked):
                outcomes.append(outcome)
                if not as_json:
                    progress.clear()
                    self._say(outcome, verbosity)
                progress.step(failed=bool(outcome.error))
        if as_json:
            self.stdout.write(json.dumps([asdict(each) for each in outcomes], indent=2))
        elif plan.waiting or verbosity > 1:
            done = sum(not each.error and not each.gone for each in outcomes[1:])
            self.stdout.write(f"{done} migrated, {plan.current} were up to date.")
        if plan.later and not as_json:
            self.stdout.write(_finish_hint(plan.later))
        reached = {each.who for each in outcomes}
        self._judge(
            [each.who for each in outcomes if each.error], sum(ref.slug not in reached for ref, _ in plan.waiting), stop
        )

    def _say(self, outcome: Outcome, verbosity: int) -> None:
        if outcome.error:
            self.stderr.write(f"{outcome.who}: {outcome.error}")
        elif outcome.gone:
            self.stdout.write(f"{outcome.who}: was deleted meanwhile")
        elif outcome.applied or verbosity > 1:
            self.stdout.write(f"{outcome.who}: {len(outcome.applied)} migrations applied")
        for found in outcome.unfit:
            self.stdout.write(f"{outcome.who}: {found.plugin} needs setup: {found.problem}")

    @staticmethod
    def _judge(failed: list[str], left: int, stop: Stopping) -> None:
        """Exit code 1 if somebody could not be migrated, that of the signal if it was told to stop."""
        if failed == [fleet.PUBLIC]:
            raise CommandError(
                "The shared schema could not be migrated, and no tenant was begun. Correct the fault and run it again."
            )
        if failed:
            rest = (
                f" {left} were not begun: correct the fault and run it again." if left else " Run it again afterwards."
            )
            raise CommandError(
                f"{len(failed)} of the tenants could not be migrated: {', '.join(failed[:MOST_NAMED])}.{rest}"
            )
        if stop.asked and left:
            raise CommandError(f"Stopped; {left} were not begun. Run it again to go on.", returncode=stop.exit_code)


def _row(each: tuple[TenantRef, Behind]) -> dict[str, Any]:
    ref, lacks = each
    return {"tenant": ref.slug, "schema": ref.schema, **asdict(lacks)}


def _finish_hint(later: tuple[tuple[TenantRef, Behind], ...]) -> str:
    migrations = sorted({name for _, lacks in later for name in lacks.migrations})
    settings = sorted({name for _, lacks in later for name in lacks.settings})
    parts = [f"migrations {', '.join(migrations)}"] if migrations else []
    parts += [f"settings of {', '.join(settings)}"] if settings else []
    return f"Once the last process with older code has stopped, run it with --finish ({'; '.join(parts)}, {len(later)} tenants)."
