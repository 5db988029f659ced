"""`manage.py keys`: which key the stored secrets are sealed with, and sealing them with the newest."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from plugin_framework.audit import COMMAND_LINE
from plugin_framework.key_rotation import Resealed, rotate, status
from saas.cli import show, tenant_called


class Command(BaseCommand):
    """Keys themselves are never printed; they are told apart by their place in SECRETS_KEYS."""

    help = "Seal all stored secrets with the first of SECRETS_KEYS, or say with which key they are sealed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("rotate", "status"))
        parser.add_argument("--tenant", help="rotate: one organisation only")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    def handle(self, *args: Any, action: str, tenant: str | None, as_json: bool, **options: Any) -> None:
        if action == "status":
            return self._status(as_json)
        only = tenant_called(tenant) if tenant else None
        found = [self._told(each, quiet=as_json) for each in rotate(COMMAND_LINE, only)]
        rows = [
            {"where": each.where, "resealed": each.secrets, "unreadable": each.unreadable, "lost": each.lost}
            for each in found
        ]
        if as_json:
            show(self, rows, as_json=True, empty="")
        if problems := [*_unopened(found), *_lost([each.where for each in found if each.lost])]:
            raise CommandError(" ".join([*problems, "Everything else is sealed with the first key."]))
        if not as_json:
            self.stdout.write(_summary(sum(each.secrets for each in found), only is None))
        return None

    def _told(self, found: Resealed, *, quiet: bool) -> Resealed:
        if found.secrets and not quiet:
            self.stdout.write(f"{found.where}: {found.secrets} sealed anew")
            self.stdout.flush()
        return found

    def _status(self, as_json: bool) -> None:
        found = status()
        rows = [{"key": key, "secrets": count} for key, count in sorted(found.keys.items())]
        show(self, rows, as_json=as_json, empty="No secret is stored.")
        if problems := _lost(found.lost):
            raise CommandError(" ".join(problems))


def _unopened(found: Iterable[Resealed]) -> list[str]:
    names = [f"{each.where}, {name}" for each in found for name in each.unreadable]
    return names and [
        f"Opened by none of SECRETS_KEYS: {'; '.join(names)}. Put the key they were sealed with back, or enter them again on the "
        "plugins' settings pages."
    ]


def _lost(slugs: Sequence[str]) -> list[str]:
    """Nobody knows what their backup is sealed with, so no key may go before they are back or given up."""
    return list(slugs) and [
        f"The tables of these organisations are not there, so that their secrets cannot be read: {', '.join(slugs)}. Keep all keys "
        "in SECRETS_KEYS until you have restored them from a backup and run `manage.py keys rotate` again, or deleted them "
        "(`manage.py tenants delete SLUG`)."
    ]


def _summary(resealed: int, everywhere: bool) -> str:
    done = f"{resealed} secrets sealed anew." if resealed else "Everything was sealed with the first key already."
    return f"{done} The other keys may be removed from SECRETS_KEYS now." if everywhere else done
