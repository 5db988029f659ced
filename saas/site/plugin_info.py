"""A plugin as its pages show it: what it does and reaches, how it stands here, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from django.http import Http404
from django.utils.translation import gettext, gettext_lazy

from plugin_framework import activation, lifecycle, permissions
from plugin_framework.catalog.models import Availability
from plugin_framework.catalog.offers import DEFAULT
from plugin_framework.delivery import breaker
from plugin_framework.delivery.breaker import Rest
from plugin_framework.gate import Decision, Notice, Reason
from plugin_framework.lifecycle import Status
from plugin_framework.models import PluginState
from plugin_framework.permissions import Consent, Kind, Permission
from plugin_framework.registry import PluginSpec, Release, is_newer, registry
from saas.site import withdrawn
from saas.site.names import has_address
from saas.site.spoken import spoken

type State = Literal["enabled", "attention", "available", "locked"]
STATES = {
    "enabled": gettext_lazy("Enabled"),
    "attention": gettext_lazy("Needs attention"),
    "available": gettext_lazy("Available"),
    "locked": gettext_lazy("Not available"),
}

_ADVICE = {
    Reason.QUARANTINED: gettext_lazy(
        "Nothing can be done here: the platform’s staff sees the fault. Settings and data are kept."
    ),
    Reason.MISSING: gettext_lazy("Ask the platform whether it will come back, or disable it."),
    Reason.WITHDRAWN: gettext_lazy(
        "Settings and data are kept. It runs again as soon as the platform offers it again."
    ),
    Reason.NOT_IN_PLAN: gettext_lazy("Ask the platform for a plan that includes it."),
    Reason.DISABLED: gettext_lazy("Enable it to use it."),
    Reason.DEPENDENCY: gettext_lazy("Put that right first; this plugin then runs by itself."),
    Reason.NEEDS_SETUP: gettext_lazy("Complete its settings; it runs as soon as they are saved."),
    Reason.PAUSED: gettext_lazy(
        "Its settings and data are as they were. It runs again by itself, or at once if you resume it."
    ),
    Reason.UPDATING: gettext_lazy(
        "This takes a few minutes at most. Its settings and data are kept, and so are its events."
    ),
    Reason.FAILED_TO_START: gettext_lazy("Check its settings. It is tried again every half minute."),
}
_ADVICE_BEFORE = {  # while the organisation has not got it
    Reason.QUARANTINED: gettext_lazy("Nothing can be done here: the platform’s staff sees the fault."),
    Reason.MISSING: gettext_lazy("Ask the platform whether it will come back."),
    Reason.WITHDRAWN: gettext_lazy("You can enable it as soon as the platform offers it again."),
}


@dataclass(frozen=True, slots=True)
class HookInfo:
    """A hook point the plugin handles, and what it is told there."""

    name: str
    kind: str
    doc: str
    args: tuple[str, ...]
    idle: bool  # nobody declares it here: the plugin it belongs to is not installed


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A plugin that this one needs, or that needs it."""

    name: str
    title: str
    requirement: str  # "orders>=1.2", as the author wrote it
    installed: bool
    enabled: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """What plugins reach, in words: what they read, keep, send elsewhere, and are told of."""

    reads: tuple[str, ...]
    stores: tuple[str, ...]
    sends_to: tuple[str, ...]
    hooks: tuple[HookInfo, ...]

    @classmethod
    def of(cls, permissions: Iterable[Permission]) -> Reach:
        """Sorted by kind, each thing once."""
        by_kind: dict[Kind, dict[str, None]] = {kind: {} for kind in Kind}
        for each in permissions:
            by_kind[each.kind][each.what] = None
        return cls(
            reads=tuple(map(spoken, by_kind[Kind.READS])),
            stores=tuple(map(spoken, by_kind[Kind.STORES])),
            sends_to=tuple(map(spoken, by_kind[Kind.SENDS_TO])),
            hooks=tuple(map(_hook, by_kind[Kind.HEARS])),
        )


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One plugin in the current organisation."""

    name: str
    title: str
    description: str
    details: str
    version: str
    version_here: str  # the one that the organisation has; "" if it never had it
    category: str
    icon: str
    state: State
    state_label: str
    reason: str  # the gate's: runs, disabled, withdrawn, …
    reason_text: str
    advice: str
    enabled: bool
    runs: bool
    may_enable: bool
    may_purge: bool
    has_settings: bool
    can_check: bool
    reach: Reach
    consent: Consent
    new_reach: Reach | None  # what the installed version asks for beyond what was agreed to; None if nothing
    releases: tuple[Release, ...]
    docs_url: str
    support_url: str
    needs: tuple[Neighbour, ...]
    needed_by: tuple[Neighbour, ...]
    rest: Rest | None  # why its deliveries wait
    kept_on: str  # why it cannot be disabled
    notice: Notice | None  # that it is deprecated
    instead_title: str  # of the plugin to use instead

    @property
    def hooks(self) -> tuple[HookInfo, ...]:
        """The hook points it handles."""
        return self.reach.hooks

    @property
    def new_releases(self) -> tuple[Release, ...]:
        """What has come since somebody here agreed to what it may do."""
        since = self.consent.version
        return tuple(each for each in self.releases if since and each.version and is_newer(each.version, since))


def plugins(*, for_staff: bool = False) -> list[PluginInfo]:
    """All plugins that the current organisation may see, by title; reasons worded for its people, or for the platform's staff."""
    found = lifecycle.statuses()
    enabled = {each.name for each in found if each.enabled}
    shown = [each for each in found if has_address(each.name) and (each.had or not _hidden(each.name))]
    rests = breaker.rests()
    return sorted(
        (describe(each, enabled, rests.get(each.name), for_staff=for_staff) for each in shown),
        key=lambda info: (info.title.casefold(), info.name),
    )


def plugin(name: str) -> PluginInfo:
    """One plugin in the current organisation.

    Raises:
        Http404: there is none, or it is hidden from organisations that never had it.
    """
    ever = PluginState.objects.filter(plugin=name).exists()
    if not ever and (_hidden(name) or name not in {*registry.specs, *registry.quarantine}):
        raise Http404(f"There is no plugin {name!r} here.")
    enabled = set(PluginState.objects.filter(enabled=True).values_list("plugin", flat=True))
    found = describe(lifecycle.status(name), enabled, breaker.rests().get(name))
    if found.reason != Reason.WITHDRAWN.value:
        return found
    dated = withdrawn.words(name, activation.current().facts.offers.get(name, DEFAULT).message)
    return replace(found, reason_text=dated) if dated else found


def matching(infos: Iterable[PluginInfo], words: str, state: str) -> list[PluginInfo]:
    """Those of `infos` that contain all `words` and are found under `state` (any, where it is none of `STATES`)."""
    wanted = words.casefold().split()
    found = [info for info in infos if all(word in _text(info) for word in wanted)]
    return [info for info in found if found_under(info, state)] if state in STATES else found


def found_under(info: PluginInfo, state: str) -> bool:
    """Whether somebody who looks at `state` sees the plugin: an enabled one that is in trouble is enabled as well."""
    return info.state == state or (state == "enabled" and info.enabled)


def describe(
    status: Status, enabled: Iterable[str], rest: Rest | None = None, *, for_staff: bool = False
) -> PluginInfo:
    """What the pages show of a plugin, whether its code is there or not."""
    spec, enabled = status.spec, set(enabled)
    decision, text = _standing(status, enabled, for_staff=for_staff)
    new = permissions.not_agreed(spec, status.consent) if spec and status.enabled else ()
    state, advice = _state(status, decision, troubled=bool(rest or new)), _advice(decision.reason, had=status.had)
    if spec and new and decision.runs and not rest:
        text = gettext("Version %(version)s asks for more than you have agreed to.") % {"version": spec.version}
        advice = gettext("See what is new, then agree to it or disable the plugin.")
    # The fault itself is for those who can mend it.
    return PluginInfo(
        name=status.name,
        title=title_of(status.name),
        description=spoken(spec.description) if spec else "",
        details=spoken(spec.cls.details) if spec else "",
        version=spec.version if spec else "",
        version_here=status.version,
        category=spoken(spec.cls.category) if spec else "",
        icon=spec.cls.icon if spec else "plug",
        state=state,
        state_label=str(STATES[state]),
        reason=decision.reason.value,
        reason_text=text,
        advice=advice,
        enabled=status.enabled,
        runs=decision.runs,
        may_enable=decision.may_enable and not status.enabled,
        may_purge=status.had and not status.enabled,
        has_settings=has_settings(spec),
        can_check=spec is not None and spec.can_check,
        reach=Reach.of(permissions.asked(spec) if spec else ()),
        consent=status.consent,
        new_reach=Reach.of(new) if new else None,
        releases=releases_of(spec),
        docs_url=str(spec.cls.docs_url) if spec else "",
        support_url=str(spec.cls.support_url) if spec else "",
        needs=_needs(spec, enabled),
        needed_by=tuple(_neighbour(each, each, enabled) for each in dependants_of(status.name)),
        rest=rest if status.enabled else None,
        kept_on=str(status.kept_on),
        notice=status.notice,
        instead_title=title_of(status.notice.instead) if status.notice else "",
    )


def has_settings(spec: PluginSpec | None) -> bool:
    """Whether there is anything to fill in; a plugin without a schema has one field for JSON."""
    return spec is not None and (spec.schema.free_form or bool(spec.schema.properties))


def hooks_of(spec: PluginSpec | None) -> tuple[HookInfo, ...]:
    """The hook points a plugin handles, each once, by name."""
    names = sorted({handler.hook for handler in spec.handlers}) if spec else []
    return tuple(_hook(name) for name in names)


def releases_of(spec: PluginSpec | None) -> tuple[Release, ...]:
    """A plugin's changelog, newest first."""
    return tuple(replace(each, text=spoken(each.text)) for each in spec.changelog) if spec else ()


def dependants_of(name: str) -> tuple[str, ...]:
    """The plugins that need `name`, directly or not."""
    return registry.dependants(name) if name in registry.specs else ()


def title_of(name: str) -> str:
    """What people read for a plugin, its code being there or not."""
    spec = registry.specs.get(name)
    return spoken(spec.title) if spec else name.replace("_", " ").capitalize()


def _standing(status: Status, enabled: set[str], *, for_staff: bool) -> tuple[Decision, str]:
    """The gate's answer and its words; for a plugin that could be enabled but for another one that it needs, those of the other."""
    decision = status.decision
    if status.enabled or not decision.may_enable:
        return decision, "" if decision.runs else _why(decision, for_staff=for_staff)
    for name in registry.requirements(status.name):
        inner = activation.current().decision(name)
        if name not in enabled and not inner.may_enable:
            words = {"title": title_of(name), "why": _why(inner, for_staff=for_staff)}
            return inner, gettext("It needs %(title)s, which cannot be enabled: %(why)s") % words
    return decision, ""


def _why(decision: Decision, *, for_staff: bool) -> str:
    return decision.text_for_staff if for_staff else decision.text


def _advice(reason: Reason, *, had: bool) -> str:
    """What to do; the gate's own words say it for a plugin that is not offered."""
    return str(_ADVICE.get(reason, "") if had else _ADVICE_BEFORE.get(reason, _ADVICE.get(reason, "")))


def _state(status: Status, decision: Decision, *, troubled: bool) -> State:
    if decision.runs:
        return "attention" if troubled else "enabled"
    if not decision.may_enable:
        return "locked"
    return "attention" if status.enabled else "available"


def _hidden(name: str) -> bool:
    return activation.current().facts.offers.get(name, DEFAULT).availability == Availability.HIDDEN


def _hook(name: str) -> HookInfo:
    point = registry.points.get(name)
    if point is None:
        return HookInfo(name, "", gettext("Declared by a plugin that is not installed."), (), idle=True)
    return HookInfo(name, point.kind, spoken(point.doc), point.args, idle=False)


def _needs(spec: PluginSpec | None, enabled: set[str]) -> tuple[Neighbour, ...]:
    return tuple(_neighbour(each.name, str(each), enabled) for each in spec.requires) if spec else ()


def _neighbour(name: str, requirement: str, enabled: set[str]) -> Neighbour:
    return Neighbour(name, title_of(name), requirement, name in registry.specs, name in enabled)


def _text(info: PluginInfo) -> str:
    return " ".join((info.name, info.title, info.description, info.details, info.category)).casefold()
