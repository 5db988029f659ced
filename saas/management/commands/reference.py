"""`manage.py reference`: the reference pages, made from the code."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from saas.reference import PAGES


class Command(BaseCommand):
    """Prints Markdown, or writes it; `make docs` writes all of it to docs/reference/."""

    help = "Print the reference of hook points, of what plugins import, of commands or of settings, as Markdown."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("page", nargs="?", choices=sorted(PAGES), help="all of them if none is named")
        parser.add_argument("--to", type=Path, metavar="FOLDER", help="write each page into this folder instead")

    def handle(self, *args: Any, page: str | None, to: Path | None, **options: Any) -> None:
        """Print or write them."""
        for name in [page] if page else PAGES:
            text = PAGES[name]()
            if to is None:
                self.stdout.write(text, ending="")
            else:
                (to / f"{name}.md").write_text(text, "utf-8")
