"""`manage.py postgres`: the embedded PostgreSQL server, by hand."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from saas.postgres import Cluster, PostgresError, default_cluster
from saas.postgres.binaries import bin_dir
from saas.testing import place


class Command(BaseCommand):
    """Starts, stops, shows, opens or deletes the server in the data folder."""

    help = "The embedded PostgreSQL server: start, stop, status, psql, or delete it with all its data."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and what `psql` is to be given."""
        parser.add_argument("action", choices=["start", "stop", "status", "psql", "delete"])
        parser.add_argument("rest", nargs="*", metavar="PSQL-ARGUMENT", help="after `--`: handed to psql")

    def handle(self, *args: Any, action: str, rest: list[str], **options: Any) -> None:
        """Do it."""
        try:
            getattr(self, f"_{action}")(default_cluster(), rest)
        except PostgresError as error:
            raise CommandError(str(error)) from error

    def _start(self, cluster: Cluster, _: list[str]) -> None:
        cluster.start()
        self._status(cluster, [])

    def _stop(self, cluster: Cluster, _: list[str]) -> None:
        cluster.stop()
        self.stdout.write("PostgreSQL is stopped.")

    def _status(self, cluster: Cluster, _: list[str]) -> None:
        status = cluster.status()
        if not status.running:
            raise CommandError(
                f"PostgreSQL does not run. Its data is in {status.data_dir}. Start it: manage.py postgres start"
            )
        self.stdout.write(f"PostgreSQL runs as process {status.pid}.\n  {cluster.url()}\n  log: {status.log_file}")

    def _psql(self, cluster: Cluster, rest: list[str]) -> None:
        url = os.environ.get("DATABASE_URL") or cluster.url()
        if not os.environ.get("DATABASE_URL"):
            cluster.start()
        psql = bin_dir() / "psql"
        sys.stdout.flush()
        os.execv(psql, [str(psql), url, *rest])  # noqa: S606  # psql takes our place, terminal and exit status included

    def _delete(self, cluster: Cluster, _: list[str]) -> None:
        bench = Cluster(Path(settings.BASE_DIR) / ".data" / "bench-postgres")
        for server in (cluster, *place.everywhere(), bench):
            server.delete()
        self.stdout.write("The embedded servers and their data are removed.")
