"""The gate: one function that says whether a plugin runs for a tenant, and if not, why not. Everything else asks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from plugin_framework.catalog.models import Availability
from plugin_framework.catalog.offers import DEFAULT, Offer
from plugin_framework.catalog.plans import PlanFacts
from plugin_framework.registry import Registry
from plugin_framework.sdk._words import Phrase, Sentence
from plugin_framework.staff_words import for_staff, said_to_staff


class Reason(StrEnum):
    """Why a plugin runs or does not, strongest first."""

    RUNS = "runs"
    QUARANTINED = "quarantined"
    MISSING = "missing"
    WITHDRAWN = "withdrawn"
    NOT_OFFERED = "not_offered"
    NOT_IN_PLAN = "not_in_plan"
    DISABLED = "disabled"
    DEPENDENCY = "dependency"
    NEEDS_SETUP = "needs_setup"
    FAILED_TO_START = "failed_to_start"
    PAUSED = "paused"
    UPDATING = "updating"


_NOT_TO_BE_HAD = {Reason.QUARANTINED, Reason.MISSING, Reason.WITHDRAWN, Reason.NOT_OFFERED, Reason.NOT_IN_PLAN}


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's answer about one plugin for one tenant."""

    reason: Reason
    words: Sentence | str = ""  # kept in an active set, which people of several languages share

    @property
    def text(self) -> str:
        """Why, in the current language."""
        return str(self.words)

    @property
    def text_for_staff(self) -> str:
        """The same for the platform's staff, for whom the organisation is not theirs."""
        return str(for_staff(self.words))

    @property
    def runs(self) -> bool:
        """Whether its handlers, pages, navigation and deliveries run."""
        return self.reason is Reason.RUNS

    @property
    def may_enable(self) -> bool:
        """Whether the tenant's admin may switch it on (it may still need setup afterwards)."""
        return self.reason not in _NOT_TO_BE_HAD


RUNS = Decision(Reason.RUNS)
_OFF = Decision(Reason.DISABLED, Phrase("Not enabled.")())
_MISSING = Phrase("The plugin %(plugin)s is not installed any more. Its settings and data are kept.")
_WITHDRAWN = Phrase("The platform has withdrawn this plugin.")
_WITHDRAWN_WHY = Phrase("Withdrawn by the platform: %(message)s")
_NOT_OFFERED = Phrase("This plugin is not offered to your organisation. Ask the platform for it.")
_NOT_IN_PLAN = Phrase("Your organisation’s plan, %(plan)s, does not include it.")
_NOT_IN_PLAN_ANY_MORE = Phrase(
    "Your organisation’s plan, %(plan)s, does not include it. Its settings and data are kept."
)
_OTHER_VERSION = Phrase("Needs %(requirement)s, and version %(version)s is installed.")
_DOES_NOT_RUN = Phrase("Needs %(title)s, which does not run: %(why)s")
_REQUIRED = Phrase(
    "%(title)s is required by the platform, so it cannot be disabled. If it has to go, ask the platform’s staff."
)
_NEEDED = Phrase(
    "%(title)s needs it and is required by the platform, so it cannot be disabled. If it has to go, ask the platform’s staff."
)
said_to_staff(
    {
        _NOT_OFFERED: Phrase("It is not offered to the organisation."),
        _NOT_IN_PLAN: Phrase("The organisation’s plan, %(plan)s, does not include it."),
        _NOT_IN_PLAN_ANY_MORE: Phrase(
            "The organisation’s plan, %(plan)s, does not include it. Its settings and data are kept."
        ),
        _REQUIRED: Phrase(
            "%(title)s is required, so it cannot be disabled. If it has to go, say in the catalog that it is not required."
        ),
        _NEEDED: Phrase(
            "%(title)s needs it and is required, so it cannot be disabled. If it has to go, say in the catalog that the other one "
            "is not required."
        ),
    }
)
# The fault itself names files and modules of the platform: its staff reads it in the console, and operators in `plugins doctor`.
_FAULT = Phrase("It was stopped because of a fault in the plugin itself.")


@dataclass(frozen=True, slots=True)
class Notice:
    """The platform has deprecated a plugin. `message`: why, and until when. `instead`: the plugin to use, or ""."""

    message: str
    instead: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the gate looks at, for one tenant."""

    tenant_schema: str
    offers: Mapping[str, Offer]
    enabled: frozenset[str]
    plan: PlanFacts | None  # None: all that is offered
    problems: Mapping[
        str, Decision
    ]  # needs setup, failed to start, paused, updating: found while the active set was built


def decide(plugin: str, facts: Facts, registry: Registry) -> Decision:
    """Whether `plugin` runs for the tenant of `facts`; the first reason that applies, strongest first."""
    return (
        _code(plugin, registry)
        or _offer(plugin, facts)
        or _plan(plugin, facts)
        or _enabled(plugin, facts)
        or _dependencies(plugin, facts, registry)
        or facts.problems.get(plugin)
        or RUNS
    )


def kept_on(plugin: str, facts: Facts, registry: Registry) -> Sentence | str:
    """Why the tenant of `facts` cannot disable `plugin`, which it has enabled; "" if it can.

    What does not run anywhere, being withdrawn or without its code, can always be disabled.
    """
    if _is_required(plugin, facts, registry):
        return _REQUIRED(title=_title(plugin, registry))
    dependants = registry.dependants(plugin) if plugin in registry.specs else ()
    needing = [each for each in dependants if each in facts.enabled and _is_required(each, facts, registry)]
    if needing:
        return _NEEDED(title=_title(needing[0], registry))
    return ""


def _is_required(plugin: str, facts: Facts, registry: Registry) -> bool:
    offer = facts.offers.get(plugin, DEFAULT)
    return offer.required and offer.availability != Availability.WITHDRAWN and plugin in registry.specs


def notice(plugin: str, facts: Facts) -> Notice | None:
    """What the tenant of `facts` should know about `plugin` although it runs, or could be enabled; None if there is nothing."""
    offer = facts.offers.get(plugin, DEFAULT)
    return Notice(offer.message, offer.instead) if offer.availability == Availability.DEPRECATED else None


def _code(plugin: str, registry: Registry) -> Decision | None:
    if plugin in registry.specs:
        return None
    if plugin in registry.quarantine:
        return Decision(Reason.QUARANTINED, _FAULT())
    return Decision(Reason.MISSING, _MISSING(plugin=plugin))


def _offer(plugin: str, facts: Facts) -> Decision | None:
    offer = facts.offers.get(plugin, DEFAULT)
    if offer.availability == Availability.WITHDRAWN:
        return Decision(Reason.WITHDRAWN, _WITHDRAWN_WHY(message=offer.message) if offer.message else _WITHDRAWN())
    if plugin in facts.enabled and offer.availability == Availability.HIDDEN:
        return None  # hidden from newcomers; who has it keeps it
    if plugin in facts.enabled and offer.availability == Availability.DEPRECATED:
        return None  # the same, and `notice` tells them
    if not offer.reaches(facts.tenant_schema):
        return Decision(Reason.NOT_OFFERED, _NOT_OFFERED())
    return None


def _plan(plugin: str, facts: Facts) -> Decision | None:
    if facts.plan is None or plugin in facts.plan.plugins:
        return None
    phrase = _NOT_IN_PLAN_ANY_MORE if plugin in facts.enabled else _NOT_IN_PLAN
    return Decision(Reason.NOT_IN_PLAN, phrase(plan=facts.plan.name))


def _enabled(plugin: str, facts: Facts) -> Decision | None:
    return None if plugin in facts.enabled else _OFF


def _dependencies(plugin: str, facts: Facts, registry: Registry) -> Decision | None:
    for requirement in registry.specs[plugin].requires:
        found = registry.specs.get(requirement.name)
        if found is not None and not requirement.specifier.contains(found.version, prereleases=True):
            return Decision(Reason.DEPENDENCY, _OTHER_VERSION(requirement=str(requirement), version=found.version))
        inner = decide(requirement.name, facts, registry)
        if not inner.runs:
            title = _title(requirement.name, registry)
            return Decision(Reason.DEPENDENCY, _DOES_NOT_RUN(title=title, why=inner.words))
    return None


def _title(plugin: str, registry: Registry) -> Sentence | str:
    spec = registry.specs.get(plugin)
    return Sentence(spec.title) if spec else plugin
