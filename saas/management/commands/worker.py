"""`manage.py worker`, which begins by saying which organisations are damaged."""

from __future__ import annotations

from typing import Any

from plugin_framework.management.commands import worker
from saas import damage


class Command(worker.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            damage.tell()
        super().handle(*args, **options)
