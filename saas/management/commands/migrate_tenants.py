"""`manage.py migrate_tenants`: the shared schema and every tenant's."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.migrations.autodetector import MigrationAutodetector

from tenants.fleet import migrate_everything


class Command(BaseCommand):
    """A tenant that fails is reported; the others are migrated, and the exit code says so."""

    help = "Migrate the shared schema and every tenant's, with the plugins each one has."
    autodetector = MigrationAutodetector  # Django's checks ask every migrate command for it

    def handle(self, *args: Any, **options: Any) -> None:
        failed = []
        for outcome in migrate_everything():
            if outcome.error:
                failed.append(outcome.who)
                self.stderr.write(f"{outcome.who}: {outcome.error}")
            elif outcome.applied or options["verbosity"] > 1:
                self.stdout.write(f"{outcome.who}: {len(outcome.applied)} migrations applied")
            for found in outcome.unfit:
                self.stdout.write(f"{outcome.who}: {found.plugin} needs setup: {found.problem}")
        if failed:
            raise CommandError(f"{len(failed)} of the tenants could not be migrated: {', '.join(failed[:10])}")
