"""`manage.py plugins`: the catalog, and a tenant's plugins and their settings; `ACTIONS` lists what it does."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from plugin_framework import changing, configuration, lifecycle, purge, settings_history, shapes
from plugin_framework.audit import COMMAND_LINE
from plugin_framework.delivery import breaker, schedule
from plugin_framework.delivery.redeliver import MANY
from plugin_framework.models.delivery import Standing
from plugin_framework.sdk import NotAllowed
from plugin_framework.staff_words import for_staff, refusal_for_staff
from plugin_framework.tenancy import tenant_scope
from saas.cli import catalog, show, tenant_called
from saas.cli.plugin_reports import doctor, explain_hook, upgrade_settings
from saas.cli.redeliveries import redeliver

ACTIONS = (
    "list",
    "show",
    "enable",
    "disable",
    "pause",
    "resume",
    "configure",
    "history",
    "restore",
    "upgrade",
    "redeliver",
    "purge",
    "explain",
    "jobs",
    "doctor",
    *catalog.ACTIONS,
)


class Command(BaseCommand):
    """The same functions, the same gate and the same errors as the pages."""

    help = "List, show, enable, disable and configure plugins; `list` without --tenant shows the catalog."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=ACTIONS)
        parser.add_argument("hook", nargs="?", help="explain: the hook's name")
        parser.add_argument("--plugin", help="the plugin's name, as `list` shows it")
        parser.add_argument("--tenant", help="the organisation's slug")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")
        parser.add_argument("--cascade", action="store_true", help="disable: also what depends on it")
        parser.add_argument("--revision", type=int, help="restore: a revision that `history` shows")
        parser.add_argument(
            "--dry-run", action="store_true", help="upgrade, redeliver, offer: only say what would be done"
        )
        parser.add_argument("--state", choices=MANY, default=Standing.DEAD.value, help="redeliver: those in this state")
        parser.add_argument("--since", metavar="ISO", help="redeliver: of events from then on, 2026-11-23T17:00")
        parser.add_argument("--until", metavar="ISO", help="redeliver: of events before then")
        parser.add_argument("--confirm", metavar="NAME", help="purge: the plugin's name once more")
        parser.add_argument(
            "--set", action="append", default=[], metavar="KEY=VALUE", help="configure: JSON, or text as it is"
        )
        parser.add_argument("--config", metavar="FILE", help="configure: a JSON object; - reads standard input")
        catalog.add_arguments(parser)

    def handle(self, *args: Any, action: str, plugin: str | None, tenant: str | None, **options: Any) -> None:
        if action == "list" and tenant is None:
            return catalog.list_all(self, as_json=options["as_json"])
        if action in catalog.ACTIONS:
            return self._said(options["as_json"], catalog.act(self, action, plugin, options))
        if action == "doctor":
            return doctor(self, tenant_called(tenant) if tenant else None, as_json=options["as_json"])
        if action == "upgrade":
            only = tenant_called(tenant) if tenant else None
            return upgrade_settings(self, only, dry_run=options["dry_run"], as_json=options["as_json"])
        if tenant is None:
            raise CommandError(f"Say for which organisation: plugins {action} --tenant SLUG")
        if action == "explain":
            return self._explain(tenant, **options)
        if action not in ("list", "redeliver") and plugin is None:
            raise CommandError(f"Say which plugin: plugins {action} --tenant {tenant} --plugin NAME")
        with tenant_scope(tenant_called(tenant)):
            try:
                getattr(self, f"_{action}")(plugin, **options)
            except NotAllowed as error:
                raise CommandError(refusal_for_staff(error)) from error
            except (configuration.Invalid, configuration.Conflict) as error:
                raise CommandError(str(error)) from error
        return None

    def _explain(self, tenant: str, *, hook: str | None, as_json: bool, **options: Any) -> None:
        if hook is None:
            raise CommandError(f"Say which hook: plugins explain HOOK --tenant {tenant}")
        with tenant_scope(tenant_called(tenant)):
            explain_hook(self, hook, as_json=as_json)

    def _list(self, plugin: str | None, *, as_json: bool, **options: Any) -> None:
        rows = [
            {
                "plugin": each.name,
                "version": each.spec.version if each.spec else "",
                "state": each.decision.reason.value,
                "enabled": each.enabled,
                "note": _note(each),
            }
            for each in lifecycle.statuses()
        ]
        show(self, rows, as_json=as_json, empty="No plugin is installed.")

    def _show(self, plugin: str, *, as_json: bool, **options: Any) -> None:
        found = lifecycle.status(plugin)
        spec = changing.spec_of(plugin)
        row = {
            "plugin": spec.name,
            "title": spec.title,
            "version": spec.version,
            "description": spec.description,
            "state": found.decision.reason.value,
            "note": _note(found),
            "depends_on": [str(requirement) for requirement in spec.requires],
            "handles": sorted({handler.hook for handler in spec.handlers}),
            "settings": spec.schema.redact(shapes.stored_now(spec)),
        }
        if as_json:
            self.stdout.write(json.dumps(row, indent=2, default=str))
        else:
            for key, value in row.items():
                self.stdout.write(
                    f"{key:12} {value if isinstance(value, str) else json.dumps(value, default=str)}".rstrip()
                )

    def _jobs(self, plugin: str, *, as_json: bool, **options: Any) -> None:
        rows = [
            {
                "plugin": plugin,
                "job": job,
                "times": expression,
                "next": f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "never: its times cannot be read",
            }
            for job, expression, at in schedule.upcoming(plugin)
        ]
        show(self, rows, as_json=as_json, empty=f"{plugin} has no jobs by the clock here.")

    def _pause(self, plugin: str, *, as_json: bool, **options: Any) -> None:
        if not lifecycle.status(plugin).enabled:
            raise CommandError(f"{plugin} is not enabled for this organisation, so there is nothing to pause.")
        breaker.pause(plugin, COMMAND_LINE)
        self._said(as_json, {"paused": plugin, "note": "Its deliveries wait until they are resumed."})

    def _resume(self, plugin: str, *, as_json: bool, **options: Any) -> None:
        lifecycle.resume(plugin, COMMAND_LINE)
        breaker.resume(plugin, COMMAND_LINE)
        self._said(as_json, {"resumed": plugin, "note": lifecycle.status(plugin).decision.text_for_staff})

    def _enable(self, plugin: str, *, as_json: bool, **options: Any) -> None:
        done = lifecycle.enable(plugin, COMMAND_LINE)
        note = lifecycle.status(plugin).decision
        self._said(as_json, {"enabled": done, "state": note.reason.value, "note": note.text_for_staff})

    def _disable(self, plugin: str, *, as_json: bool, cascade: bool, **options: Any) -> None:
        self._said(as_json, {"disabled": lifecycle.disable(plugin, COMMAND_LINE, cascade=cascade)})

    def _configure(self, plugin: str, *, as_json: bool, config: str | None, **options: Any) -> None:
        spec = changing.spec_of(plugin)
        given = {**_read(config), **dict(_pair(text) for text in options["set"])}
        public, secrets = spec.schema.split(given)
        before, _ = spec.schema.split(shapes.stored_now(spec))
        revision = configuration.configure(plugin, COMMAND_LINE, {**before, **public}, secrets=secrets)
        self._said(as_json, {"configured": plugin, "revision": revision})

    def _history(self, plugin: str, *, as_json: bool, **options: Any) -> None:
        rows = [
            {
                "revision": each.revision,
                "at": each.at.isoformat(timespec="seconds"),
                "by": each.actor,
                "settings": each.values if as_json else json.dumps(each.values),
                "secrets": each.secrets if as_json else ", ".join(each.secrets),
            }
            for each in settings_history.states(plugin)
        ]
        show(self, rows, as_json=as_json, empty=f"No settings of {plugin} were ever saved.")

    def _restore(self, plugin: str, *, as_json: bool, revision: int | None, **options: Any) -> None:
        if revision is None:
            raise CommandError(f"Say which state: --revision N, as `plugins history --plugin {plugin}` shows them.")
        new = configuration.restore(plugin, COMMAND_LINE, revision)
        self._said(as_json, {"restored": plugin, "from": revision, "revision": new})

    def _redeliver(self, plugin: str | None, *, as_json: bool, dry_run: bool, **options: Any) -> None:
        if plugin is not None:
            changing.spec_of(plugin)
        asked = {name: options[name] for name in ("state", "since", "until")}
        redeliver(self, plugin or "", dry_run=dry_run, as_json=as_json, **asked)

    def _purge(self, plugin: str, *, as_json: bool, confirm: str | None, **options: Any) -> None:
        if confirm is None:
            found = purge.preview(plugin)
            tables = ", ".join(f"{table} ({rows} rows)" for table, rows in found.tables.items()) or "no tables"
            what = f"{tables}, {found.settings} settings, {found.deliveries} deliveries"
            raise CommandError(f"This would delete {what}, for good. To do it: --confirm {plugin}")
        gone = purge.purge(plugin, COMMAND_LINE, confirmation=confirm)
        self._said(as_json, {"purged": plugin, "rows": gone.rows, "settings": gone.settings})

    def _said(self, as_json: bool, answer: dict[str, Any]) -> None:
        if as_json:
            self.stdout.write(json.dumps(answer))
        else:
            said = (
                f"{key}: {', '.join(value) if isinstance(value, list) else value}"
                for key, value in answer.items()
                if value or value is False
            )
            self.stdout.write("\n".join(said) or "Nothing to do.")


def _note(status: lifecycle.Status) -> str:
    """Why it does not run, or else what the platform says of it."""
    notice = status.notice
    instead = f" Use {notice.instead} instead." if notice and notice.instead else ""
    deprecated = f"Deprecated: {notice.message}{instead}" if notice else ""
    return " ".join(filter(None, (status.decision.text_for_staff, deprecated, str(for_staff(status.kept_on)))))


def _read(source: str | None) -> dict[str, Any]:
    if source is None:
        return {}
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8")
        found = json.loads(text)
    except (OSError, ValueError) as error:
        raise CommandError(f"The settings in {source} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise CommandError(f"The settings in {source} must be a JSON object.")
    return found


def _pair(text: str) -> tuple[str, Any]:
    key, found, value = text.partition("=")
    if not found or not key:
        raise CommandError(f"--set takes KEY=VALUE, not {text!r}.")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value
