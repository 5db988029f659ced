"""The fields of a settings form that are chosen from: one of several, any of several, yes or no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from saas.site.settings_fields import Field
from saas.site.settings_parts import Part, Sent, sent_text
from saas.site.settings_values import MISSING, Wrong, one_line_endings, short, showable, text_of
from saas.site.spoken import spoken


@dataclass(frozen=True, slots=True)
class Option:
    """One of several to choose from."""

    value: str
    label: str
    chosen: bool
    id: str


def option_values(node: Mapping[str, Any]) -> dict[str, Any]:
    """What can be chosen, by the text that the form sends for it."""
    choices = [node["const"]] if "const" in node else node.get("enum", ())
    choices = [True, False] if node.get("type") == "boolean" else choices
    return {text_of(each): each for each in choices}


def option_label(node: Mapping[str, Any], text: str) -> str:
    """What people read for one choice."""
    names = {"true": _("Yes"), "false": _("No")} if node.get("type") == "boolean" else {}
    return spoken(str(node.get("x-enum-labels", {}).get(text, names.get(text, text))))


class Choice(Field):
    """One of several: radio buttons for a few, a list to open for more."""

    FEW = 4

    @property
    def template(self) -> str:  # type: ignore[override]  # the others' is fixed
        """Radio buttons or a list."""
        return "settings_form/choices.html" if self.composed else "settings_form/select.html"

    @property
    def composed(self) -> bool:  # type: ignore[override]  # as above
        """Whether these are radio buttons."""
        return not self._with_blank and len(self._texts) <= self.FEW and not self.in_row

    @property
    def _texts(self) -> list[str]:
        known = list(option_values(self.node))
        return known if self.drawn in known or not self.drawn else [*known, self.drawn]

    @property
    def _with_blank(self) -> bool:
        can_be_none = "default" not in self.node and not (self.required and self.saved is not MISSING)
        return "" not in self._texts and (can_be_none or not self.drawn)

    @property
    def options(self) -> list[Option]:
        """All that can be chosen, and what is chosen though it no longer can be."""
        known, chosen = option_values(self.node), self.drawn if self.raw is None else one_line_endings(self.raw)
        found = [Option("", "", chosen == "", f"{self.id}:none")] if self._with_blank else []
        for position, text in enumerate(self._texts):
            label = option_label(self.node, text) if text in known else _("%s (no longer offered)") % text
            found.append(Option(showable(text), showable(label), text == chosen, f"{self.id}:{position}"))
        return found

    def parse(self, text: str) -> Any:
        """The chosen value."""
        known = option_values(self.node)
        if text in known:
            return known[text]
        if not text:
            return MISSING
        raise Wrong(_("Choose one of the options."))

    @property
    def default_words(self) -> str:
        """What the default choice is called."""
        return showable(short(option_label(self.node, text_of(self.default))))

    @property
    def control_type(self) -> str:
        """The type of each option's control."""
        return "radio"

    @property
    def anchor(self) -> str:
        """The first option, or the list."""
        return self.options[0].id if self.composed else self.id


class Check(Field):
    """Yes or no. A hidden "off" goes in front of the box, so that an empty box differs from one that was not sent."""

    template = "settings_form/checkbox.html"
    _SAYS: ClassVar[dict[str, bool]] = {
        **dict.fromkeys(("on", "true", "1", "yes"), True),
        **dict.fromkeys(("off", "false", "0", "no", ""), False),
    }

    def bind(self, sent: Sent) -> None:
        """The last one counts: the box follows its hidden "off"."""
        if not self.locked:
            self.raw = sent_text(sent, self.name)

    @property
    def drawn(self) -> str:
        """On or off."""
        return "on" if self.basis is True else "off"

    @property
    def sent(self) -> bool:
        """Whether the box was on the page that was sent."""
        return self.raw is not None

    @property
    def checked(self) -> bool:
        """Whether the box is ticked."""
        return self._SAYS.get(self.text.lower(), False)

    def untouched(self) -> bool:
        """Whether the box is as it was drawn."""
        return self.raw is None or self._SAYS.get(self.raw.lower()) == (self.drawn == "on")

    def blank(self) -> bool:
        """Whether the box is empty."""
        return not self.checked

    def parse(self, text: str) -> Any:
        """Yes or no."""
        if text.lower() not in self._SAYS:
            raise Wrong(_("Must be yes or no."))
        return self._SAYS[text.lower()]

    @property
    def default_words(self) -> str:
        """Ticked or not."""
        return _("ticked") if self.default is True else _("not ticked")

    @property
    def attributes(self) -> dict[str, str | bool]:
        """A box; a required one may still be empty, that is its "no"."""
        return {**super().attributes, "type": "checkbox", "value": "on", "checked": self.checked, "required": False}


class Choices(Part):
    """Any number of several: a box for each."""

    template = "settings_form/choices.html"
    composed = True
    _sent: frozenset[str] | None = None

    def bind(self, sent: Sent) -> None:
        """Take all that is ticked; the hidden first one only says that the boxes were there."""
        found = [one_line_endings(str(each)) for each in sent.getlist(self.name)]
        if not self.locked and found:
            self._sent = frozenset(found) - {""}

    @property
    def _drawn(self) -> frozenset[str]:
        return frozenset(map(text_of, self.basis)) if isinstance(self.basis, list) else frozenset()

    @property
    def _ticked(self) -> frozenset[str]:
        return self._drawn if self._sent is None else self._sent

    def untouched(self) -> bool:
        """Whether the same boxes are ticked."""
        return self._ticked == self._drawn

    def blank(self) -> bool:
        """Whether none is ticked."""
        return not self._ticked

    def value(self) -> Any:
        """What is ticked, in the schema's order; nothing ticked is no list, unless a list must be there or would come back."""
        if self._sent is None or self.kept():
            return self.saved
        known = option_values(self.node["items"])
        if self._sent - set(known):
            self.errors.append(_("Choose among the options only."))
        chosen = [value for text, value in known.items() if text in self._sent]
        return chosen if chosen or self.required or "default" in self.node else MISSING

    @property
    def options(self) -> list[Option]:
        """A box for each, also for what is ticked though it is no longer offered."""
        known = list(option_values(self.node["items"]))
        found = []
        for position, text in enumerate([*known, *sorted(self._drawn - set(known))]):
            label = option_label(self.node["items"], text) if text in known else _("%s (no longer offered)") % text
            found.append(Option(showable(text), showable(label), text in self._ticked, f"{self.id}:{position}"))
        return found

    @property
    def default_words(self) -> str:
        """What the default ticks."""
        texts = map(text_of, self.default) if isinstance(self.default, list) else ()
        return showable(short(", ".join(option_label(self.node["items"], text) for text in texts))) or _("none of them")

    @property
    def control_type(self) -> str:
        """The type of each option's control."""
        return "checkbox"

    @property
    def anchor(self) -> str:
        """The first box."""
        return self.options[0].id
