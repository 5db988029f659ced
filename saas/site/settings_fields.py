"""The fields of a settings form that are typed into: texts, numbers, JSON and secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django.forms.utils import flatatt
from django.utils.translation import gettext as _

from plugin_framework import masking
from plugin_framework.config.formats import FORMATS
from plugin_framework.sdk._counts import said_number
from saas.site.settings_keeping import SEALED, Keeper
from saas.site.settings_parts import Part, Sent, sent_text
from saas.site.settings_values import (
    MISSING,
    Wrong,
    checked_text,
    integer,
    json_value,
    number,
    one_line_endings,
    short,
    showable,
    shown,
    text_of,
)

_INPUT_TYPES = {"email": "email", "uri": "url", "date": "date", "time": "time"}
_HINTS = {"date-time": "2026-01-31T14:30:00Z"}  # where no control shows how it is written
_NATIVE = {  # what a browser's own control can show; it drops everything else without a word
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "time": re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,3})?)?"),
    "email": re.compile(r"[^\s@]+@[^\s@]+"),
    "url": re.compile(r"\S+"),
}


class Field(Part):
    """One control that carries one text."""

    template = "settings_form/input.html"
    raw: str | None = None  # what was sent; None: nothing
    _twice = False

    def bind(self, sent: Sent) -> None:
        """Take the text sent under this field's name."""
        if not self.locked:
            self.raw = sent_text(sent, self.name)
            self._twice = len(set(sent.getlist(self.name))) > 1

    def say(self, value: Any) -> str:
        """How the control says a value."""
        return text_of(value)

    @property
    def drawn(self) -> str:
        """What the control says before anybody types."""
        return self.say(self.basis)

    @property
    def text(self) -> str:
        """What the control says, fit for a page."""
        return showable(self.drawn if self.raw is None else one_line_endings(self.raw))

    def untouched(self) -> bool:
        """Whether the text is the drawn one, whatever the line endings."""
        return self.raw is None or one_line_endings(self.raw) == self.drawn

    def blank(self) -> bool:
        """Whether the control is empty."""
        return not self.text.strip()

    def value(self) -> Any:
        """The text as a value of the schema's type."""
        if self.raw is None or self.kept():
            return self.saved
        try:
            if self._twice:
                raise Wrong(_("Was sent twice, with different values. Check it and save again."))
            return self.parse(one_line_endings(self.raw))
        except Wrong as error:
            self.errors.append(str(error))
            return MISSING

    def parse(self, text: str) -> Any:
        """The value that `text` means, or MISSING.

        Raises:
            Wrong: it means none.
        """
        raise NotImplementedError

    @property
    def default_words(self) -> str:
        """The default, if it fits on a button."""
        return showable(short(self.say(self.default)))

    @property
    def input_type(self) -> str:
        """The control's type; a plain text wherever the browser's special one could not show what is there."""
        wanted = _INPUT_TYPES.get(self.node.get("format") or self.kind, "text")
        return wanted if wanted == "text" or not self.text or _NATIVE[wanted].fullmatch(self.text) else "text"

    @property
    def attributes(self) -> dict[str, str | bool]:
        """The control's attributes, without its value."""
        hint = self.node.get("x-placeholder") or next(map(self.say, self.node.get("examples", ())), "")
        hint = hint or _HINTS.get(self.node.get("format", ""), "")
        return {
            "id": self.id,
            "name": self.name,
            **({"placeholder": str(hint)} if hint else {}),
            "required": self.required and not self.locked,
            "disabled": self.locked,
            "autofocus": self.autofocus,
            **self.aria,
        }

    @property
    def attrs(self) -> str:
        """`attributes` as a page has them."""
        return flatatt(dict(self.attributes))


class Text(Field):
    """A text on one line, or on several."""

    @property
    def multiline(self) -> bool:
        """Whether the control takes line breaks; one that holds any must, or the browser would drop them."""
        return bool(self.node.get("x-multiline")) or "\n" in self.text

    def parse(self, text: str) -> Any:
        """The text; spaces around a single line are slips of the hand. Empty is a value only where it differs from none."""
        text = checked_text(text if self.multiline else text.strip())
        return text if text or ("default" in self.node and may_be_empty(self.node)) else MISSING

    @property
    def attributes(self) -> dict[str, str | bool]:
        """With the type and the value of a single line, or the height of several."""
        if self.multiline:
            return {**super().attributes, "rows": str(min(12, max(3, self.text.count("\n") + 2)))}
        step = {"step": "1"} if self.input_type == "time" else {}
        return {**super().attributes, "type": self.input_type, "value": self.text, **step}


class Number(Field):
    """A number."""

    multiline: ClassVar[bool] = False

    def say(self, value: Any) -> str:
        """With the marks of the reader's language."""
        return shown(value)

    def parse(self, text: str) -> Any:
        """The number."""
        text = text.strip()
        if not text:
            return MISSING
        return integer(text) if self.kind == "integer" else number(text)

    @property
    def limits(self) -> str:
        """From where to where, in words."""
        bounds = (self.node.get(name) for name in ("minimum", "maximum"))
        low, high = ("" if bound is None else str(said_number(bound)) for bound in bounds)
        if low and high:
            return _("From %(low)s to %(high)s.") % {"low": low, "high": high}
        return _("At least %s.") % low if low else (_("At most %s.") % high if high else "")

    @property
    def has_help(self) -> bool:
        """Limits are worth a word."""
        return super().has_help or bool(self.limits)

    @property
    def attributes(self) -> dict[str, str | bool]:
        """A text for numbers: a browser's control for numbers drops without a word what it cannot read as one."""
        mode = "numeric" if self.kind == "integer" and self.node.get("minimum", -1) >= 0 else "text"
        mode = "decimal" if self.kind == "number" and self.node.get("minimum", -1) >= 0 else mode  # no minus on those
        return {**super().attributes, "type": "text", "inputmode": mode, "value": self.text}


class Json(Field):
    """A value as JSON: of plugins without a schema, and of lists too long for rows."""

    multiline: ClassVar[bool] = True
    default_words = ""

    @property
    def drawn(self) -> str:
        """The value on several lines."""
        return "" if self.basis is MISSING else json.dumps(self.basis, ensure_ascii=False, indent=2)

    def parse(self, text: str) -> Any:
        """The value; nothing typed is an empty one."""
        return json_value(text, self.kind) if text.strip() else ([] if self.kind == "array" else {})

    @property
    def attributes(self) -> dict[str, str | bool]:
        """With the height, and without the browser's spelling marks."""
        return {**super().attributes, "rows": str(min(24, self.text.count("\n") + 4)), "spellcheck": "false"}


class Secret(Field):
    """A secret: what is saved or typed is never in the page. Empty keeps the saved one."""

    template = "settings_form/secret.html"
    plain = False
    is_saved = False
    remove = False
    bound_to = ""  # labels of the fields that say where it goes
    keeper: Keeper | None = None

    def bind(self, sent: Sent) -> None:
        """Take a new one, or the wish to have none; what was typed into the page before this one is as good as new."""
        super().bind(sent)
        unwanted = self.locked or f"remove:{self.name}" in sent
        if not self.raw and not unwanted and self.keeper and (token := sent_text(sent, self.sealed_name)):
            self.raw = self.keeper.open(self.name, token)
        masking.know([self.raw], typed=True)
        self.remove = not self.locked and self.is_saved and unwanted

    @property
    def drawn(self) -> str:
        """Nothing, ever."""
        return ""

    @property
    def text(self) -> str:
        """Nothing, ever."""
        return ""

    @property
    def typed(self) -> bool:
        """Whether a new one was typed, which is lost when the page is drawn again."""
        return bool(self.raw)

    @property
    def sealed_name(self) -> str:
        """The hidden field with what was typed."""
        return f"{SEALED}{self.name}"

    @property
    def sealed(self) -> str:
        """What was typed, for a page that is drawn again; nothing if it was wrong."""
        return self.keeper.seal(self.name, self.raw) if self.keeper and self.raw and not self.errors else ""

    def blank(self) -> bool:
        """Whether there is none, saved or new."""
        return not self.is_saved and not self.typed

    def value(self) -> Any:
        """Not part of the configuration; see `new`."""
        return MISSING

    def new(self) -> str | None:
        """The newly typed secret."""
        if not self.raw:
            return None
        text = one_line_endings(self.raw)
        text = text.strip() if self.node.get("format", "password") != "password" else text
        try:
            if self.remove:
                raise Wrong(_("Type a new one or tick “Remove”, not both."))
            if self._twice:
                raise Wrong(_("Was sent twice, with different values. Type it again."))
            return checked_text(text)
        except Wrong as error:
            self.errors.append(str(error))
            return None

    @property
    def multiline(self) -> bool:
        """Whether it takes line breaks, as keys in PEM do."""
        return bool(self.node.get("x-multiline"))

    @property
    def has_help(self) -> bool:
        """There is always something to say about a saved one."""
        return super().has_help or self.is_saved or self.typed or bool(self.bound_to)

    @property
    def attributes(self) -> dict[str, str | bool]:
        """Without a value; browsers shall not fill it in either."""
        shape = {"rows": "3", "spellcheck": "false"} if self.multiline else {"type": "password"}
        required = self.required and not self.is_saved and not self.typed and not self.locked
        return {**super().attributes, **shape, "autocomplete": "new-password", "required": required}


def may_be_empty(node: Mapping[str, Any]) -> bool:
    """Whether "" is a valid value of the text `node`."""
    if node.get("minLength", 0) or not re.search(node.get("pattern", ""), ""):
        return False
    return "" in node.get("enum", ("",)) and FORMATS.conforms("", node.get("format", ""))
