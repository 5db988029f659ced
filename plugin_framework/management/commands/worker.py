"""`manage.py worker`: delivers events until it is told to stop."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from plugin_framework.citus.cluster import CitusError
from plugin_framework.db.pooler import UnsafePooler
from plugin_framework.delivery import workers
from plugin_framework.delivery.options import Options
from plugin_framework.delivery.supervisor import Supervisor
from plugin_framework.tenancy import public_scope


class Command(BaseCommand):
    help = "Deliver events. Any number of workers may run, on any number of machines. SIGTERM stops one gracefully."
    requires_system_checks: list[str] = []  # `check` runs at deploy; a worker must start fast after a crash

    def add_arguments(self, parser: ArgumentParser) -> None:
        default = Options()
        parser.add_argument("--children", type=int, default=default.children, help="handlers that run at the same time")
        parser.add_argument(
            "--elastic-factor",
            type=int,
            default=default.elastic_factor,
            help="how many times as many may run while some are stuck; 1: never more",
        )
        parser.add_argument(
            "--lease", type=float, default=default.lease, help="seconds a vanished worker keeps its lanes"
        )
        parser.add_argument(
            "--soft-limit", type=float, default=default.soft_limit, help="seconds after which a handler is told"
        )
        parser.add_argument(
            "--hard-limit", type=float, default=default.hard_limit, help="seconds after which it is killed"
        )
        parser.add_argument(
            "--poll", type=float, default=default.poll, help="seconds between looks without a notification"
        )
        parser.add_argument(
            "--stop-grace", type=float, default=default.stop_grace, help="seconds for running deliveries at the end"
        )
        parser.add_argument(
            "--memory", type=int, default=default.memory, help="bytes a handler's process may add; 0: no limit"
        )
        parser.add_argument(
            "--check", action="store_true", help="exit with 0 if some worker's heartbeat is fresh, else with 1"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["check"]:
                self._check()
            else:
                Supervisor(_options(options)).run()
        except (UnsafePooler, CitusError) as error:
            raise CommandError(str(error)) from error
        except ProgrammingError as error:
            raise CommandError(f"The delivery tables are missing; run `manage.py migrate` first. ({error})") from error

    def _check(self) -> None:
        try:
            with public_scope():
                alive = workers.any_alive()
        except OperationalError as error:
            raise CommandError(f"The database cannot be reached: {error}") from error
        if not alive:
            raise CommandError(
                f"No worker has been seen in the last {workers.FRESH:g} seconds. Start one: manage.py worker"
            )
        self.stdout.write("A worker is alive.")


def _options(given: dict[str, Any]) -> Options:
    try:
        return Options(**{name: given[name] for name in Options.__dataclass_fields__ if name in given})
    except ValueError as error:
        raise CommandError(str(error)) from error
