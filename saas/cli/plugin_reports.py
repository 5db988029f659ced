"""What `plugins explain`, `plugins doctor` and `plugins upgrade` print."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction

from plugin_framework.explain import explain, installed_findings, tenant_findings
from plugin_framework.sdk import UnknownHook
from plugin_framework.tenancy import TenantRef, tenant_scope
from plugin_framework.tenancy_directory import everyone
from plugin_framework.upgrades import findings, upgrade
from saas import damage
from saas.cli import show
from tenants.wholeness import Condition, condition

log = logging.getLogger(__name__)


def explain_hook(command: BaseCommand, hook: str, *, as_json: bool) -> None:
    """Each handler of `hook` for the current tenant, in order, and why it runs or does not.

    Raises:
        CommandError: nobody declares the hook.
    """
    try:
        found = explain(hook)
    except UnknownHook as error:
        raise CommandError(str(error)) from error
    rows = [
        {"plugin": each.plugin, "handler": each.handler, "runs": each.runs, "reason": each.reason, "why": each.text}
        for each in found
    ]
    show(command, rows, as_json=as_json, empty=f"No installed plugin handles {hook}.")


def doctor(command: BaseCommand, tenant: TenantRef | None, *, as_json: bool) -> None:
    """All that somebody should look at, for one tenant or for all.

    Raises:
        CommandError: there is something; so that a script notices.
    """
    rows: list[dict[str, Any]] = [
        {"tenant": "", "plugin": each.plugin, "what": each.text, "remedy": each.remedy} for each in installed_findings()
    ]
    for ref in [tenant] if tenant else (entry.ref for entry in everyone()):
        found, broken = _in_each(ref, lambda: list(tenant_findings()))
        rows += [
            {"tenant": ref.slug, "plugin": each.plugin, "what": each.text, "remedy": each.remedy} for each in found
        ]
        if broken:
            rows.append({"tenant": ref.slug, "plugin": "", "what": broken.what, "remedy": broken.remedy})
    show(command, rows, as_json=as_json, empty="Everything that is enabled runs.")
    if rows:
        raise CommandError(f"Needing attention: {len(rows)}.")


def upgrade_settings(command: BaseCommand, tenant: TenantRef | None, *, dry_run: bool, as_json: bool) -> None:
    """Bring the settings of one tenant or of all to the installed versions; or only say what that would come to.

    Raises:
        CommandError: some do not fit; these plugins need setup there, and nothing of their settings was changed.
    """
    rows: list[dict[str, Any]] = []
    damaged: list[str] = []
    for ref in [tenant] if tenant else (entry.ref for entry in everyone()):
        found, broken = _in_each(ref, findings if dry_run else upgrade)
        rows += [
            {
                "tenant": ref.slug,
                "plugin": each.plugin,
                "saved": each.saved,
                "installed": each.installed,
                "outcome": "needs setup" if each.problem else ("would be upgraded" if dry_run else "upgraded"),
                "problem": each.problem,
            }
            for each in found
        ]
        if broken:
            damaged.append(f"{ref.slug}: {broken.what} {broken.remedy}")
    show(command, rows, as_json=as_json, empty="All settings fit the installed versions.")
    unfit = sum(bool(row["problem"]) for row in rows)
    problems = [f"Not fitting the installed version: {unfit}. Everything else runs."] if unfit else []
    if problems or damaged:
        raise CommandError("\n".join([*problems, *damaged]))


@dataclass(frozen=True, slots=True)
class Damage:
    """Why one organisation could not be looked into, and what to do."""

    what: str
    remedy: str


def _in_each[T](ref: TenantRef, look: Callable[[], list[T]]) -> tuple[list[T], Damage | None]:
    """What `look` finds in one organisation. One that is damaged must not keep anybody from the others."""
    if condition(ref) is Condition.LOST:
        return [], Damage("Its schema is not there, or is not complete.", damage.remedy(ref))
    try:
        with tenant_scope(ref), transaction.atomic():
            return look(), None
    except DatabaseError as error:
        if connection.connection is None or connection.connection.closed:
            raise
        log.exception("%s could not be looked into", ref.slug)
        return [], Damage(f"It could not be looked into ({type(error).__name__}).", "Read the log.")
