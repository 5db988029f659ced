"""`manage.py hooks`: the reference page of all hook points."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from saas.cli.hook_reference import hook_reference


class Command(BaseCommand):
    """Prints Markdown; `make docs` writes it to docs/reference/hooks.md."""

    help = "Print the reference of all hook points, as Markdown."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        self.stdout.write(hook_reference(), ending="")
