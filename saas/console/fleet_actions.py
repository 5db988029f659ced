"""What staff does to a plugin in many organisations: said of each one before it is done, done a slice at a time, audited in each."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched

from django.db import DatabaseError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from plugin_framework import lifecycle, setup_ahead
from plugin_framework.activation import ActiveSet
from plugin_framework.audit import Actor, record
from plugin_framework.delivery import breaker
from plugin_framework.delivery.breaker import Rest
from plugin_framework.gate import Reason
from plugin_framework.registry import registry
from plugin_framework.sdk import NotAllowed
from plugin_framework.staff_words import for_staff, refusal_for_staff
from plugin_framework.tenancy import TenantRef, tenant_scope
from plugin_framework.tenancy_directory import platform
from saas.console import fleet_view
from saas.site.plugin_info import title_of
from tenants import wholeness
from tenants.wholeness import Condition

log = logging.getLogger(__name__)
MOST = 500  # organisations at once
SLICE = 3.0  # seconds after which a request answers, and the rest is another's
AT_ONCE = 25  # looked into in a few statements
ACTIONS = {
    "enable": gettext_lazy("Enable"),
    "disable": gettext_lazy("Disable"),
    "resume": gettext_lazy("Resume"),
}
_DONE = {
    "enable": gettext_lazy("Enabled"),
    "disable": gettext_lazy("Disabled"),
    "resume": gettext_lazy("Resumed"),
}


@dataclass(frozen=True, slots=True)
class Effect:
    """What an action would do, or has done, in one organisation.

    Attributes:
        outcome: "change", "nothing", or "refused". `text`: what, or why not.
    """

    ref: TenantRef
    outcome: str
    text: str


def preview(action: str, plugin: str, slugs: Sequence[str]) -> list[Effect]:
    """What `action`, one of ACTIONS, would do with `plugin` in each of these organisations; nothing is changed."""
    refs = fleet_view.refs_of(slugs)
    found: list[Effect] = []
    for some in batched(refs, AT_ONCE):
        sets, rests = fleet_view.looked_into(some)
        effects = {
            ref.schema: Effect(ref, *_LOOKING[action](plugin, sets[ref.schema][0], rests.get((ref.schema, plugin))))
            for ref in some
            if ref.schema in sets
        }
        changing = {schema: sets[schema][0] for schema, each in effects.items() if each.outcome == "change"}
        if action == "enable" and changing:
            effects |= {schema: _with_setup(effects[schema], said) for schema, said in _setup(plugin, changing).items()}
        found += [effects.get(ref.schema) or _lost(ref) for ref in some]
    return found


def _setup(plugin: str, sets: Mapping[str, ActiveSet]) -> dict[str, str]:
    """Which of the plugins that would be enabled need setup there, and why, by schema."""
    wanted = (*registry.requirements(plugin), plugin)
    found: dict[str, list[str]] = {}
    lacking = setup_ahead.lacking(sets, wanted)
    for schema, active in sets.items():
        for each in wanted:
            if each not in active.facts.enabled and (why := lacking.get((schema, each))) is not None:
                said = _("%(title)s will need setup there: %(why)s") % {"title": title_of(each), "why": why}
                found.setdefault(schema, []).append(said)
    return {schema: " ".join(said) for schema, said in found.items()}


def _with_setup(effect: Effect, said: str) -> Effect:
    return replace(effect, text=f"{effect.text} {said}")


def apply(action: str, plugin: str, slugs: Sequence[str], actor: Actor) -> tuple[list[Effect], list[str]]:
    """Do it in as many of these organisations as a request has time for, each in a transaction of its own.

    Returns:
        What was done in each, and the short names of those that are left. Whoever does one again changes nothing.
    """
    until = time.monotonic() + SLICE
    refs = fleet_view.refs_of(slugs)
    done: list[Effect] = []
    while refs and (not done or time.monotonic() < until):
        done.append(_one(action, plugin, refs.pop(0), actor))
    changed = [each.ref.slug for each in done if each.outcome == "change"]
    own = platform()
    if changed and own is not None:
        with tenant_scope(own.ref):
            record(actor, f"fleet.{action}", plugin, organisations=len(changed), which=changed[:50])
    return done, [ref.slug for ref in refs]


def _one(action: str, plugin: str, ref: TenantRef, actor: Actor) -> Effect:
    if wholeness.condition(ref) is Condition.LOST:
        return _lost(ref)
    try:
        with tenant_scope(ref):
            names = _DOING[action](plugin, actor)
            decision = lifecycle.status(plugin).decision
    except NotAllowed as error:
        return Effect(ref, "refused", refusal_for_staff(error))
    except DatabaseError as error:  # whatever is wrong with one, the others go on
        log.exception("%s of %s in %s failed", action, plugin, ref.slug)
        return Effect(
            ref,
            "refused",
            _("The database refused it: %(kind)s. The log has the details.") % {"kind": type(error).__name__},
        )
    if not names:
        return Effect(ref, "nothing", _("Nothing to do."))
    rests = f" {decision.text_for_staff}" if action == "enable" and not decision.runs else ""
    return Effect(ref, "change", f"{_DONE[action]}: {', '.join(map(title_of, names))}.{rests}")


def _lost(ref: TenantRef) -> Effect:
    return Effect(ref, "refused", _("Its schema is not there, or is not complete."))


def _resume(plugin: str, actor: Actor) -> list[str]:
    before = lifecycle.status(plugin).decision.reason is Reason.PAUSED or plugin in breaker.rests()
    lifecycle.resume(plugin, actor)
    breaker.resume(plugin, actor)
    return [plugin] if before else []


_DOING: Mapping[str, Callable[[str, Actor], list[str]]] = {
    "enable": lifecycle.enable,
    "disable": lambda plugin, actor: lifecycle.disable(plugin, actor, cascade=True),
    "resume": _resume,
}


def _enabling(plugin: str, active: ActiveSet, rest: Rest | None) -> tuple[str, str]:
    enabled = active.facts.enabled
    if plugin in enabled:
        return "nothing", _("It is enabled already.")
    wanted = (*(registry.requirements(plugin) if plugin in registry.specs else ()), plugin)
    missing = [each for each in wanted if each not in enabled]
    for each in missing:
        if not active.decision(each).may_enable:
            needed = "" if each == plugin else _("It needs %(title)s. ") % {"title": title_of(each)}
            return "refused", needed + active.decision(each).text_for_staff
    if missing[:-1]:
        return "change", _("It will be enabled, with what it needs: %(titles)s.") % {"titles": _titles(missing[:-1])}
    return "change", _("It will be enabled.")


def _disabling(plugin: str, active: ActiveSet, rest: Rest | None) -> tuple[str, str]:
    enabled = active.facts.enabled
    if plugin not in enabled:
        return "nothing", _("It is not enabled.")
    if why := active.kept_on(plugin):
        return "refused", str(for_staff(why))
    dependants = registry.dependants(plugin) if plugin in registry.specs else ()
    if also := [each for each in dependants if each in enabled]:
        return "change", _("It will be disabled, and so will what needs it: %(titles)s.") % {"titles": _titles(also)}
    return "change", _("It will be disabled. Its settings and data are kept.")


def _resuming(plugin: str, active: ActiveSet, rest: Rest | None) -> tuple[str, str]:
    paused = active.decision(plugin).reason is Reason.PAUSED
    if not paused and rest is None:
        return "nothing", _("It is not paused.")
    if rest is not None and not rest.paused_by:
        return "change", _("A few of its deliveries will be tried at once; the others follow if they arrive.")
    return "change", _("It will run again.") if paused else _("Its deliveries will go out again.")


_LOOKING: Mapping[str, Callable[[str, ActiveSet, Rest | None], tuple[str, str]]] = {
    "enable": _enabling,
    "disable": _disabling,
    "resume": _resuming,
}


def _titles(names: Sequence[str]) -> str:
    return ", ".join(map(title_of, names))
