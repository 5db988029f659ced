"""The settings form of a plugin: drawn from its schema, read back into a configuration, with every error at its field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict
from django.utils.html import html_safe
from django.utils.translation import gettext as _

from plugin_framework import settings_store
from plugin_framework.config import ConfigSchema, FieldError
from saas.site.settings_fields import Json, Secret
from saas.site.settings_groups import Group, Rows
from saas.site.settings_keeping import Keeper
from saas.site.settings_parts import AT_DEFAULT, Part, Path, Sent, Situation, sent_text
from saas.site.spoken import spoken

NO_FIELD = "__all__"  # the key of errors that belong to no field, as in Django's forms
RESET = "reset:"  # of a field's name: the button that puts it back to its default; alone: the one for all of them
TAKE, THEIRS = "take:", "theirs"  # of a field's name: whose value is saved, where two people have saved at once
_KEPT = "•"  # stands in for a kept secret while the rest is checked


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that stand together on the page, under a legend if the schema gives them one (x-group)."""

    legend: str
    parts: tuple[Part, ...]
    id: str


@dataclass(frozen=True, slots=True)
class SummaryEntry:
    """One error in the list above the form; `anchor` is the id of its field, empty if it has none."""

    anchor: str
    label: str
    message: str


@html_safe
class SettingsForm:
    """One plugin's settings on a page.

    Args:
        schema: the plugin's.
        saved: its settings as they are, without secrets.
        saved_secrets: which secrets are saved, by path; their values are not needed and never seen here.
        locked: paths (or dotted names) that cannot be changed here; whatever is sent for them is not looked at.
        data: what was sent; None for a form that nobody has filled in yet.
        defaults: the platform's values, which apply where a field has none of its own, over the schema's; None: no buttons that put
            fields back to their defaults.
        prefix: of the names and ids of all fields, for a page with several forms; it ends in a slash, which no setting's name has.
        keeper: keeps newly typed secrets in the page, sealed, when it has to be drawn again; None: they have to be typed again.

    The buttons "Add row" and "Use the default" send the form: then `is_valid()` is false, there are no errors, and the form
    is to be drawn again, with nothing saved.
    """

    def __init__(
        self,
        schema: ConfigSchema,
        *,
        saved: Mapping[str, Any],
        saved_secrets: Iterable[Path] = (),
        locked: Iterable[Path | str] = (),
        data: Sent | Mapping[str, str] | None = None,
        defaults: Mapping[str, Any] | None = None,
        keeper: Keeper | None = None,
        prefix: str = "",
    ) -> None:
        self.schema, self.prefix = schema, prefix
        if data is not None and not isinstance(data, MultiValueDict):
            data = MultiValueDict({name: [value] for name, value in data.items()})
        paths = (tuple(each.split(".")) if isinstance(each, str) else tuple(each) for each in locked)
        situation = Situation(
            frozenset(paths),
            frozenset(map(tuple, saved_secrets)),
            None if schema.free_form else defaults,
            prefix=prefix,
            **_asked(data or MultiValueDict(), prefix),
        )
        self.was_reset = data is not None and (bool(situation.reset) or situation.reset_all)
        self.all_reset = data is not None and situation.reset_all
        kind: type[Part] = Json if schema.free_form else Group
        label = _("Settings, as JSON") if schema.free_form else ""
        self.root = kind(schema.document, (), dict(saved), required=True, situation=situation, label=label)
        self.is_bound = data is not None
        self.unsaved = self.is_bound  # whether the form shows what is not saved
        self.adding = False
        self.form_errors: list[str] = []
        self.config: dict[str, Any] = dict(saved)
        self.secrets: dict[tuple[str, ...], str] = {}
        self.removed_secrets: tuple[tuple[str, ...], ...] = ()
        self._saved = saved
        for part in self._secret_parts():
            part.keeper = keeper
        if data is not None:
            self._read(data)
        self.root.name_children()
        self._name_bound_fields()

    @property
    def removed_keys(self) -> tuple[tuple[str], ...]:
        """What somebody has taken out of the JSON of a plugin without a schema."""
        return tuple((key,) for key in self._saved if self.schema.free_form and key not in self.config)

    def is_valid(self) -> bool:
        """Whether the form was sent, to be used, and nothing is wrong with it so far."""
        return self.is_bound and not self.redraws and not self.errors

    @property
    def redraws(self) -> bool:
        """Whether a button was pressed that only draws the form again, with a row more or a default."""
        return self.adding or self.was_reset

    @property
    def offers_defaults(self) -> bool:
        """Whether anything could be put back to its default."""
        return any(part.can_reset for part in self.root.everything())

    @property
    def reset_keys(self) -> frozenset[str]:
        """Top-level fields that somebody has put back to their defaults, and not changed since."""
        parts = self.root.children() if isinstance(self.root, Group) else ()
        return frozenset(str(part.path[0]) for part in parts if part.at_default and part.untouched())

    @property
    def errors(self) -> dict[str, list[str]]:
        """What is wrong, by the dotted path of the field; under "__all__" what belongs to no field."""
        found = {part.dotted: part.errors for part in self.root.everything() if part.errors and part.path}
        above = [*self.non_field_errors()]
        if self.schema.free_form and self.root.errors:
            found[self.root.dotted] = self.root.errors
        return {**found, NO_FIELD: above} if above else found

    def non_field_errors(self) -> list[str]:
        """What is wrong with the settings as a whole."""
        return [*self.form_errors, *(() if self.schema.free_form else self.root.errors)]

    def forgive(self) -> None:
        """Take all errors back, where the page is drawn again and nobody has said yet that the form is done."""
        self.form_errors.clear()
        for part in self.root.everything():
            part.errors.clear()

    def add_errors(self, errors: Iterable[FieldError] | Mapping[str, str | Sequence[str]]) -> None:
        """Put errors beside their fields, or above the form where there is no such field.

        Args:
            errors: those of the engine (`Invalid.errors`, `Checked.errors`), or messages by dotted path ("" for the whole).
        """
        if isinstance(errors, Mapping):
            errors = [
                FieldError(tuple(name.split(".")) if name else (), message)
                for name, found in errors.items()
                for message in ([found] if isinstance(found, str) else found)
            ]
        for error in errors:
            part = self.root.at(tuple(error.path)) if error.path else None
            into = self.form_errors if part is None or not (part.path or self.schema.free_form) else part.errors
            if error.message not in into:
                into.append(error.message)

    def __iter__(self) -> Iterator[Section]:
        """The sections, in the order in which their first fields come."""
        parts: dict[str, list[Part]] = {}
        for part in self.root.children() if isinstance(self.root, Group) else [self.root]:
            parts.setdefault(spoken(str(part.node.get("x-group", ""))), []).append(part)
        for position, (legend, found) in enumerate(parts.items()):
            yield Section(legend, tuple(found), f"{self.prefix}section:{position}")

    def __str__(self) -> str:
        return render_to_string("settings_form/form.html", {"form": self})

    @property
    def summary(self) -> list[SummaryEntry]:
        """All errors, in the page's order."""
        above = [SummaryEntry("", "", message) for message in self.non_field_errors()]
        parts = [part for part in self.root.everything() if part.path or self.schema.free_form]
        return above + [SummaryEntry(part.anchor, part.long_label, each) for part in parts for each in part.errors]

    @property
    def has_rows(self) -> bool:
        """Whether there are buttons (of rows, or of defaults) before the page's own, of which the Enter key would press the first."""
        parts = self.root.everything()
        return any(part.can_reset or (isinstance(part, Rows) and not part.locked) for part in parts)

    @property
    def has_conditions(self) -> bool:
        """Whether there are fields that do not always apply."""
        return any(part.show_if for part in self.root.everything())

    @property
    def retype(self) -> bool:
        """Whether secrets were typed that a page drawn again does not have any more."""
        return any(part.typed and not part.sealed for part in self._secret_parts())

    def _secret_parts(self) -> Iterator[Secret]:
        yield from (part for part in self.root.everything() if isinstance(part, Secret))

    def _name_bound_fields(self) -> None:
        for part in self._secret_parts():
            fields = self.schema.bound_fields(tuple(map(str, part.path)))
            targets = [self.root.at(path) for path in fields]
            part.bound_to = ", ".join(
                each.label if each.context == part.context else each.long_label for each in targets
            )

    def _read(self, data: Sent) -> None:
        if not self.root.left:
            self.root.bind(data)
        self.adding = any(part.adds for part in self.root.everything() if isinstance(part, Rows))
        config = self.root.value()
        self.config = config if isinstance(config, dict) else {}
        for secret in self._secret_parts():
            self._read_secret(secret)
        if self.redraws:
            self.forgive()
        elif not (self.schema.free_form and self.root.errors):
            self._check()

    def _read_secret(self, part: Secret) -> None:
        path = tuple(map(str, part.path))
        new = part.new()
        if new is not None:
            self.secrets[path] = new
        elif part.remove and not part.errors:
            self.removed_secrets = (*self.removed_secrets, path)

    def _check(self) -> None:
        """Hold the whole against the schema; what is wrong already is not told twice."""
        kept = {
            tuple(map(str, part.path)) for part in self._secret_parts() if part.is_saved and not part.remove
        } - self.secrets.keys()
        whole, _none = self.schema.split(self.config)
        for path, secret in [*((path, _KEPT) for path in kept), *self.secrets.items()]:
            if isinstance(settings_store.get(whole, path[:-1]), dict | None):
                settings_store.put(whole, path, secret)
        wrong = {id(part) for part in self.root.everything() if part.errors}
        for error in self.schema.validate(whole).errors:
            part = self.root.at(tuple(error.path))
            inside = part.everything() if part.path else iter((part,))
            if error.path not in kept and not any(id(each) in wrong for each in inside):
                self.add_errors([error])


def _asked(sent: Sent, prefix: str) -> dict[str, Any]:
    """What the form's own buttons, marks and choices ask for, as arguments of a Situation."""

    def named(start: str) -> frozenset[str]:
        return frozenset(name.removeprefix(start) for name in sent if name.startswith(start) and name != start)

    theirs = (name for name in named(TAKE) if sent_text(sent, TAKE + name) == THEIRS)
    return {
        "reset": named(RESET),
        "reset_all": RESET + prefix in sent,
        "at_default": named(AT_DEFAULT),
        "left": frozenset(theirs),
    }
