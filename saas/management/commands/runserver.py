"""`manage.py runserver`: Django's, without its look at migrations, which knows nothing of tenants."""

from django.contrib.staticfiles.management.commands.runserver import Command as RunServer


class Command(RunServer):
    """For development; the demo and production run gunicorn."""

    def check_migrations(self) -> None:
        """Nothing: each tenant has its own, and `migrate_tenants` says which are missing."""
