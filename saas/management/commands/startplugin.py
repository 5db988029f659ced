"""`manage.py startplugin NAME`: a package to begin with."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from saas.startplugin import NotPossible, start_plugin


class Command(BaseCommand):
    """Writes a package that installs, passes its own tests and appears in the list of plugins."""

    help = "Write the package of a new plugin: code, README and tests, ready to be installed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the plugin's name: lower-case letters, digits and underscores")
        parser.add_argument("--directory", default=".", help="the folder that gets the package's folder (this one)")

    def handle(self, *args: Any, name: str, directory: str, **options: Any) -> None:
        try:
            made = start_plugin(name, Path(directory))
        except NotPossible as error:
            raise CommandError(str(error)) from error
        folder = shlex.quote(str(made))
        self.stdout.write(f"Wrote {made}. Next:")
        self.stdout.write(f"  python -m pip install --no-build-isolation --no-deps --editable {folder}")
        self.stdout.write(f"  python -m pytest {folder}")
