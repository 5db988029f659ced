"""The settings that one page asks for when it enables several plugins: a form for each, under names of its own, saved all or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from django.http import QueryDict

from plugin_framework import configuration, settings_store
from plugin_framework.lifecycle import NewSettings
from plugin_framework.registry import PluginSpec
from plugin_framework.sdk import CheckResult
from saas.site import plugin_settings
from saas.site.plugin_info import PluginInfo
from saas.site.settings_fields import Secret
from saas.site.settings_form import Section, SettingsForm, SummaryEntry
from saas.site.settings_parts import Part
from saas.site.settings_values import MISSING


@dataclass(slots=True)
class Setup:
    """The settings of one plugin on the page that enables it.

    Attributes:
        prefix: of the names of its fields; "" for the plugin that the page is about.
        needed: the fields that have to be filled in; `others`: all that may stay as they are.
        result: of "Test connection".
    """

    info: PluginInfo
    spec: PluginSpec
    prefix: str
    form: SettingsForm
    revision: int
    needed: list[Section] = field(default_factory=list)
    others: list[Section] = field(default_factory=list)
    result: CheckResult | None = None

    def __post_init__(self) -> None:
        self.needed, self.others = _sections(self.form)
        if self.others and not self.needed and configuration.unfinished(self.spec):
            self.needed, self.others = self.others, []  # it needs something, and only its own code knows what

    @property
    def opened(self) -> bool:
        """Whether what may stay as it is should be in sight all the same: it is wrong, changed, or why a test failed."""
        failed = self.result is not None and not self.result.ok
        return failed or bool(self.form.errors) or self.form.redraws or self._changed()

    def _changed(self) -> bool:
        """Whether somebody has typed something into what may stay as it is."""
        parts = [part for section in self.others for part in section.parts]
        typed = {path[:1] for path in self.form.secrets}
        return any(part.path[:1] in typed or not (isinstance(part, Secret) or part.untouched()) for part in parts)

    def new(self, data: QueryDict) -> NewSettings | None:
        """What the form says, if it says anything that is not saved already."""
        form, drawn = self.form, plugin_settings.settings_form(self.spec)
        removed = form.removed_secrets + form.removed_keys
        if form.config == drawn.config and not form.secrets and not removed:
            return None
        own = plugin_settings.own_part(self.spec, form.config, form.reset_keys)
        return NewSettings(own, form.secrets, removed, plugin_settings.expected_revision(data, self.prefix))

    def explain(self, error: configuration.Invalid | settings_store.Unreadable) -> None:
        """Put what saving has found wrong beside its fields."""
        plugin_settings.explain(self.form, error)

    def test(self) -> None:
        """Try the connection with what stands in the form; nothing is saved."""
        form = self.form
        if not self.spec.can_check or not form.is_valid():
            return
        try:
            own = plugin_settings.own_part(self.spec, form.config, form.reset_keys)
            proposed = configuration.proposed(self.spec, own, form.secrets, form.removed_secrets + form.removed_keys)
        except (configuration.Invalid, settings_store.Unreadable) as error:
            self.explain(error)
        else:
            self.result = configuration.check(self.spec, proposed)


@dataclass(frozen=True, slots=True)
class Wrong:
    """One error in the list above the forms; `plugin`: whose, where there are several."""

    plugin: str
    entry: SummaryEntry


def setups(info: PluginInfo, also: Iterable[PluginInfo], data: QueryDict | None) -> list[Setup]:
    """The forms that enabling `info` together with `also` takes, in the order in which they are enabled.

    Of `also` those that would not run as they are, and those that were on the page from which `data` comes.
    """
    found = []
    for each in also:
        prefix = f"{quote(each.name, safe='')}/"
        spec = plugin_settings.configurable(each)
        if spec and (configuration.unfinished(spec) or (data is not None and f"{prefix}revision" in data)):
            found.append(_setup(each, spec, data, prefix))
    spec = plugin_settings.configurable(info)
    return [*found, _setup(info, spec, data, "")] if spec else found


def wrong(found: Sequence[Setup]) -> list[Wrong]:
    """All errors of all forms, in the page's order."""
    return [Wrong(each.info.title if found[1:] else "", entry) for each in found for entry in each.form.summary]


def _setup(info: PluginInfo, spec: PluginSpec, data: QueryDict | None, prefix: str) -> Setup:
    form = plugin_settings.settings_form(spec, data, prefix=prefix)
    return Setup(info, spec, prefix, form, plugin_settings.revision_of(spec.name))


def _sections(form: SettingsForm) -> tuple[list[Section], list[Section]]:
    """The fields that have to be filled in, and all others, each under its legend."""
    needed: list[Section] = []
    others: list[Section] = []
    for section in form:
        must = tuple(part for part in section.parts if _must(part))
        may = tuple(part for part in section.parts if not _must(part))
        needed += [Section(section.legend, must, section.id)] if must else []
        others += [Section(section.legend, may, f"{section.id}:more")] if may else []
    return needed, others


def _must(part: Part) -> bool:
    """Whether the plugin cannot run as long as nothing is filled in here."""
    has = part.is_saved if isinstance(part, Secret) else part.basis is not MISSING
    return part.required and not has and not part.locked
