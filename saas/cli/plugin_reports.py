"""What `plugins explain`, `plugins doctor` and `plugins upgrade` print."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from plugin_framework.explain import explain, installed_findings, tenant_findings
from plugin_framework.sdk import UnknownHook
from plugin_framework.tenancy import TenantRef, tenant_scope
from plugin_framework.tenancy_directory import everyone
from plugin_framework.upgrades import findings, upgrade
from saas.cli import show


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
        with tenant_scope(ref):
            rows += [
                {"tenant": ref.slug, "plugin": each.plugin, "what": each.text, "remedy": each.remedy}
                for each in tenant_findings()
            ]
    show(command, rows, as_json=as_json, empty="Everything that is enabled runs.")
    if rows:
        raise CommandError(f"Needing attention: {len(rows)}.")


def upgrade_settings(command: BaseCommand, tenant: TenantRef | None, *, dry_run: bool, as_json: bool) -> None:
    """Bring the settings of one tenant or of all to the installed versions; or only say what that would come to.

    Raises:
        CommandError: some do not fit; these plugins need setup there, and nothing of their settings was changed.
    """
    rows: list[dict[str, Any]] = []
    for ref in [tenant] if tenant else (entry.ref for entry in everyone()):
        with tenant_scope(ref):
            rows += [
                {
                    "tenant": ref.slug,
                    "plugin": each.plugin,
                    "saved": each.saved,
                    "installed": each.installed,
                    "outcome": "needs setup" if each.problem else ("would be upgraded" if dry_run else "upgraded"),
                    "problem": each.problem,
                }
                for each in (findings() if dry_run else upgrade())
            ]
    show(command, rows, as_json=as_json, empty="All settings fit the installed versions.")
    if unfit := sum(bool(row["problem"]) for row in rows):
        raise CommandError(f"Not fitting the installed version: {unfit}. Everything else runs.")
