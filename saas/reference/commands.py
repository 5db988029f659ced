"""The reference page of the commands: each of ours, with its arguments, as its parser knows them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand, DjangoHelpFormatter

_HEAD = """\
# Commands

Made from the code by `make docs`; a test keeps it current. An error is a sentence on the standard error and an exit status other than 0.
Arguments of every command of Django's (`--settings`, `--verbosity`, …) are left out.
"""
_OURS = ("saas", "plugin_framework", "tenants")
_INNER = {"migrate_schemas", "reference", "runserver"}  # for django-tenants, for `make docs`, and as Django's


def page() -> str:
    """The page, in Markdown."""
    names = sorted(name for name, app in get_commands().items() if app in _OURS and name not in _INNER)
    return "\n".join([_HEAD, *(_entry(name) for name in names)])


def _entry(name: str) -> str:
    command = load_command_class(get_commands()[name], name)
    parser = command.create_parser("manage.py", name)
    rows = [_row(action) for action in _own(parser)]
    lines = [f"## `{name}`", "", str(command.help or "").strip(), "", "```text", _usage(parser), "```", ""]
    return "\n".join([*lines, *(["| argument | |", "|---|---|", *rows, ""] if rows else [])])


def _own(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    plain = BaseCommand().create_parser("manage.py", "")
    common = {tuple(action.option_strings) for action in plain._actions}
    shown = (action for action in parser._actions if action.help is not argparse.SUPPRESS)
    return (action for action in shown if tuple(action.option_strings) not in common or not action.option_strings)


def _usage(parser: argparse.ArgumentParser) -> str:
    own = list(_own(parser))
    formatter = DjangoHelpFormatter(prog=parser.prog, width=110)
    formatter.add_usage(None, own, [], prefix="")
    return formatter.format_help().strip()


def _row(action: argparse.Action) -> str:
    name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
    choices = f"one of {', '.join(f'`{each}`' for each in action.choices)}" if action.choices else ""
    told = str(action.help % vars(action) if action.help else "").replace("|", "\\|")
    default = (
        ""
        if action.default in (None, False, argparse.SUPPRESS, [], "") or "%(default)" in str(action.help)
        else f"default `{action.default}`"
    )
    return f"| `{name}` | {'; '.join(part for part in (told, choices, default) if part)} |"
