"""What every part of a settings form has: a name, a label, what was saved, what was typed, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

from django.forms.utils import flatatt
from django.utils.datastructures import MultiValueDict

from saas.site.settings_values import MISSING, fits
from saas.site.spoken import spoken

type Path = tuple[str | int, ...]
type Node = Mapping[str, Any]
type Sent = MultiValueDict[str, str]
FREE_FORM_NAME = "config"
AT_DEFAULT = "default:"  # of a field's name: it was put back to its default, and shows that
_TAKEN = frozenset({"csrfmiddlewaretoken", "revision", "next", "cascade"})  # fields that the pages around the form have


def name_of(path: Path) -> str:
    """The form field's name for `path`: "server.host", "headers.0.name". Only ASCII, and never one of the page's own."""
    steps = [quote(str(step), safe="").replace("~", "%7E") for step in path] or [FREE_FORM_NAME]
    if steps[0] in _TAKEN:
        steps[0] = f"%{ord(steps[0][0]):X}{steps[0][1:]}"
    return ".".join(steps)


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of the whole form while its parts are made.

    Attributes:
        defaults: what applies to a field that says nothing of its own, where that is not the schema's own default; None: fields
            cannot be put back to it here.
        reset: names of the fields that go back to their defaults with this very request; `reset_all`: all of them do.
        at_default: names of those that went back before, and say so since.
        left: names of the fields that stay as they are saved, whatever was sent for them.
        prefix: of every name, where several forms are on one page.
    """

    locked: frozenset[Path] = frozenset()
    saved_secrets: frozenset[Path] = frozenset()
    defaults: Node | None = None
    reset: frozenset[str] = frozenset()
    reset_all: bool = False
    at_default: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    prefix: str = ""

    def locks(self, path: Path) -> bool:
        """Whether `path`, or what it is part of, may not be changed here."""
        return any(path[:length] in self.locked for length in range(len(path) + 1))

    def keeps_secret_in(self, path: Path) -> bool:
        """Whether a secret is saved somewhere below `path`."""
        return any(each[: len(path)] == path for each in self.saved_secrets)

    def default(self, path: Path, node: Node) -> Any:
        """What applies at `path` if it says nothing of its own, or MISSING."""
        found: Any = self.defaults or {}
        for step in path:
            found = found.get(step, MISSING) if isinstance(found, Mapping) else MISSING
        return node.get("default", MISSING) if found is MISSING or not path else found

    def resets(self, name: str) -> bool:
        """Whether the field goes back to its default now."""
        return self.defaults is not None and (self.reset_all or name in self.reset)


class Part:
    """One field, group of fields, or list of rows. `value()` after `bind()` is what was typed, typed.

    Args:
        node: the schema of this part.
        saved: what is saved for it, or MISSING.
        required: whether the whole cannot be without it.
        label: what people read, if it is not the schema's title or the name.
    """

    template: ClassVar[str]
    composed: ClassVar[bool] = False  # several controls under one legend
    plain: ClassVar[bool] = True  # has a value of its own, that can go back to a default

    def __init__(
        self, node: Node, path: Path, saved: Any, *, required: bool, situation: Situation, label: str = ""
    ) -> None:
        self.node, self.path, self.required = node, path, required
        self.kind = str(node.get("type", "string"))
        self.locked = situation.locks(path) or bool(node.get("readOnly"))
        self.name = situation.prefix + name_of(path)
        self.default = situation.default(path, node)
        self.offers_default = situation.defaults is not None and not self.in_row and not self.locked
        self.at_default = False
        self.left = self.name in situation.left  # what was sent for it is not looked at
        if self.plain and self.offers_default:
            saved = self._reset(saved, situation)
        self.misfit = saved is not MISSING and not fits(saved, self.kind)
        self.saved = saved
        self.basis = self.default if saved is MISSING else saved
        self.id = "id_" + self.name.replace("%", "~")
        self.label = label or spoken(
            str(node.get("title") or str(path[-1] if path else "").replace("_", " ").capitalize())
        )
        self.context = ""  # what the part stands in, as people read it
        self.help = spoken(str(node.get("description", "")))
        self.only_when = ""  # when the part applies, in words; empty: always
        self.show_if: Mapping[str, list[str]] = {}  # the same for the script: what controls must say, by their names
        self.errors: list[str] = []
        self.autofocus = False

    def _reset(self, saved: Any, situation: Situation) -> Any:
        """What counts as saved: nothing, if the field is to go back to its default. What must be there and has none stays."""
        now = situation.resets(self.name) and (self.default is not MISSING or not self.required)
        before = self.name in situation.at_default and self.name not in situation.left
        self.left = self.left or now
        self.at_default = self.default is not MISSING and (now or before)
        return MISSING if now or self.at_default else saved

    @property
    def can_reset(self) -> bool:
        """Whether there is a default that is not what is saved."""
        differs = self.saved is not MISSING and self.saved != self.default
        return self.plain and self.offers_default and differs and self.default is not MISSING

    @property
    def default_words(self) -> str:
        """The default as people read it, if it is short."""
        return ""

    def bind(self, sent: Sent) -> None:
        """Take what was typed; a part that was not sent at all stays as it was saved."""
        raise NotImplementedError

    def value(self) -> Any:
        """What the form says now, or MISSING; errors of what was typed are put into `errors`."""
        raise NotImplementedError

    def untouched(self) -> bool:
        """Whether the form says what it said when it was drawn."""
        raise NotImplementedError

    def blank(self) -> bool:
        """Whether nothing is filled in."""
        raise NotImplementedError

    def kept(self) -> bool:
        """Whether what is saved stays, to the letter: nobody has touched it, and it may stay."""
        may_be_absent = self.saved is not MISSING or not self.required or "default" in self.node
        return self.locked or (not self.misfit and may_be_absent and self.untouched())

    def children(self) -> Iterator[Part]:
        """The parts directly inside, in the page's order."""
        yield from ()

    def everything(self) -> Iterator[Part]:
        """This part and all inside it, in the page's order."""
        yield self
        for child in self.children():
            yield from child.everything()

    def name_children(self) -> None:
        """Tell all parts inside what they stand in."""
        for child in self.children():
            child.context = self.long_label if self.path else spoken(str(child.node.get("x-group", "")))
            child.name_children()

    def at(self, path: Path) -> Part:
        """The part that shows `path` (counted from here, as in the configuration), or the nearest around it."""
        return self

    @property
    def dotted(self) -> str:
        """The key in the form's `errors`."""
        return ".".join(map(str, self.path)) or FREE_FORM_NAME

    @property
    def long_label(self) -> str:
        """The label with what it is part of, for lists of errors."""
        return f"{self.context}: {self.label}" if self.context else self.label

    @property
    def in_row(self) -> bool:
        """Whether this is (part of) an entry of a list."""
        return any(isinstance(step, int) for step in self.path)

    @property
    def anchor(self) -> str:
        """The id that a link to this part leads to."""
        return self.id

    @property
    def help_id(self) -> str:
        """Where the help stands."""
        return f"{self.id}:help"

    @property
    def error_id(self) -> str:
        """Where the errors stand."""
        return f"{self.id}:error"

    @property
    def has_help(self) -> bool:
        """Whether anything stands at `help_id`."""
        return bool(self.only_when or self.help or self.locked or self.misfit or self.deprecated)

    @property
    def deprecated(self) -> bool:
        """Whether the plugin's author wants it used no more."""
        return bool(self.node.get("deprecated"))

    @property
    def described_by(self) -> str:
        """The ids of help and errors, for aria-describedby."""
        return " ".join([*([self.help_id] if self.has_help else []), *([self.error_id] if self.errors else [])])

    @property
    def applies(self) -> str:
        """What tells the script when the part applies, as an attribute."""
        return flatatt({"data-show-if": json.dumps(self.show_if)} if self.show_if else {})

    @property
    def aria(self) -> dict[str, str]:
        """What tells a screen reader about help and errors."""
        found = {"aria-describedby": self.described_by} if self.described_by else {}
        return {**found, "aria-invalid": "true"} if self.errors else found


def sent_text(sent: Sent, name: str) -> str | None:
    """The text sent as `name`, or None if none was; the last one if there are several."""
    found = sent.getlist(name)
    return str(found[-1]) if found else None
