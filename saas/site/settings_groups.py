"""The parts of a settings form that hold others: groups of fields, and lists of rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from plugin_framework.config.schema import UNDECIDED
from saas.site import settings_conditions
from saas.site.settings_choices import Check, Choice, Choices
from saas.site.settings_fields import Field, Json, Number, Secret, Text
from saas.site.settings_parts import Node, Part, Path, Sent, Situation
from saas.site.settings_values import MISSING, text_of

MAX_ROWS: Final = 200  # drawn as rows; longer lists are edited as JSON
_MOST_ROWS: Final = 1000  # read from what was sent
_INDEX = re.compile(r"(0|[1-9][0-9]{0,5})(?:\.|$)")


def make(node: Node, path: Path, saved: Any, *, required: bool, situation: Situation, label: str = "") -> Part:
    """The part that shows `node`."""
    kind, cls = str(node.get("type", "string")), Part
    if node.get("writeOnly"):
        return _secret(node, path, required=required, situation=situation)
    if kind in {"object", "array"}:
        cls = Group if kind == "object" else _for_list(node, saved)
    elif UNDECIDED in node or (("enum" in node or "const" in node) and kind != "boolean"):
        cls = Choice
    else:
        cls = {"boolean": Check, "integer": Number, "number": Number}.get(kind, Text)
    return cls(node, path, saved, required=required, situation=situation, label=label)


def _secret(node: Node, path: Path, *, required: bool, situation: Situation) -> Secret:
    part = Secret(node, path, MISSING, required=required, situation=situation)
    part.is_saved = path in situation.saved_secrets
    return part


def _for_list(node: Node, saved: Any) -> type[Part]:
    shown = saved if isinstance(saved, list) else node.get("default", [])
    if "enum" in node["items"] and len(set(map(text_of, shown))) == len(shown) and "" not in node["items"]["enum"]:
        return Choices
    return Rows if len(shown) <= MAX_ROWS else Json


class Group(Part):
    """The fields of one object. What the schema does not know of it is kept, and not shown: it might be anything."""

    template = "settings_form/fieldset.html"
    composed = True
    plain = False

    def __init__(
        self, node: Node, path: Path, saved: Any, *, required: bool, situation: Situation, label: str = ""
    ) -> None:
        super().__init__(node, path, saved, required=required, situation=situation, label=label)
        inside = self.basis if isinstance(self.basis, Mapping) else {}
        known = node.get("properties", {})
        needed = node.get("required", ()) if required or self.basis is not MISSING else ()
        self.parts = {
            name: make(inner, (*path, name), inside.get(name, MISSING), required=name in needed, situation=situation)
            for name, inner in sorted(known.items(), key=lambda item: item[1].get("x-order", len(known)))
        }
        for part in self.parts.values():
            settings_conditions.tell(part, self.parts)
        keeps = node.get("additionalProperties", True) is not False
        self._unknown = {name: value for name, value in inside.items() if name not in known} if keeps else {}
        self._holds_secret = situation.keeps_secret_in(path)

    def bind(self, sent: Sent) -> None:
        """Take what was typed into each field."""
        for part in self.parts.values():
            if not part.left:
                part.bind(sent)

    def untouched(self) -> bool:
        """Whether no field was touched; secrets have their own ways."""
        return all(part.untouched() for part in self.parts.values() if not isinstance(part, Secret))

    def blank(self) -> bool:
        """Whether nothing is filled in; boxes alone are always filled in."""
        parts = self.parts.values()
        return all(part.blank() for part in parts) and not all(isinstance(part, Check) for part in parts)

    def value(self) -> Any:
        """The object; an empty one is left out, unless it must be there."""
        found = {name: part.value() for name, part in self.parts.items()}
        found = {name: value for name, value in found.items() if value is not MISSING} | self._unknown
        if self.locked:
            return self.saved
        if self.saved is MISSING and self.kept():
            return MISSING
        if not found and not self.required:
            return {} if self.saved == {} and self.untouched() and not self._holds_secret else MISSING
        return {**self._unticked(found), **found}

    def _unticked(self, found: Mapping[str, Any]) -> dict[str, bool]:
        """Boxes that must say yes or no, once the object is there: an empty one is a no."""
        checks = ((name, self.parts.get(name)) for name in self.node.get("required", ()) if name not in found)
        return {name: False for name, part in checks if isinstance(part, Check) and part.sent and not part.errors}

    def children(self) -> Iterator[Part]:
        """The fields."""
        yield from self.parts.values()

    def at(self, path: Path) -> Part:
        """The field that `path` leads to."""
        part = self.parts.get(str(path[0])) if path else None
        return part.at(path[1:]) if part is not None else self

    @property
    def anchor(self) -> str:
        """The first field, or the group itself if it has none."""
        return next((part.anchor for part in self.parts.values()), self.id)


@dataclass(slots=True)
class Row:
    """One entry of a list."""

    index: int
    part: Part
    is_new: bool
    removed: bool = False

    @property
    def remove_name(self) -> str:
        """The box that removes the row when the form is saved."""
        return f"remove:{self.part.name}"

    @property
    def remove_id(self) -> str:
        """The box's id."""
        return f"remove:{self.part.id}"

    def dropped(self) -> bool:
        """Whether the row is none: removed, emptied, or a new one that nobody has filled in."""
        emptied = self.part.blank() and (self.is_new or not self.part.untouched())
        return self.removed or emptied or (self.is_new and self.part.untouched())


class Rows(Part):
    """A list: a row for each entry and an empty one at the end."""

    template = "settings_form/rows.html"
    composed = True

    def __init__(
        self, node: Node, path: Path, saved: Any, *, required: bool, situation: Situation, label: str = ""
    ) -> None:
        super().__init__(node, path, saved, required=required, situation=situation, label=label)
        self._situation = situation
        self._entries = list(self.basis) if isinstance(self.basis, list) else []
        self._sent = False
        self._positions: list[int] = []  # entry of `value()` -> row
        self.adds = False  # somebody wants one more row
        self.rows = [self._row(index) for index in range(len(self._entries))]
        self.complete()

    def complete(self) -> None:
        """Put an empty row at the end, if there is none and one may come."""
        last = self.rows[-1] if self.rows else None
        wanted = last is None or not (last.is_new and (last.part.blank() or last.part.untouched()))
        if (wanted or self.adds) and not self.locked and not self.full:
            self.rows.append(self._row(max([last.index + 1 if last else 0, len(self._entries)])))
            next(part for part in self.rows[-1].part.everything() if isinstance(part, Field)).autofocus = self.adds

    @property
    def full(self) -> bool:
        """Whether no more rows are taken."""
        return len(self.rows) >= min(int(self.node.get("maxItems", MAX_ROWS)), MAX_ROWS)

    @property
    def add_name(self) -> str:
        """The button that draws the form again with one more row."""
        return f"add:{self.name}"

    @property
    def marker_name(self) -> str:
        """What says that the list was on the page, also when every row of it is gone."""
        return f"rows:{self.name}"

    def _row(self, index: int) -> Row:
        saved = self._entries[index] if index < len(self._entries) else MISSING
        node: Node = self.node["items"]
        is_new = saved is MISSING
        draw = make if node.get("type") != "boolean" else Choice  # an empty row must differ from one that says no
        required = not is_new and node.get("type") == "object"  # emptying a single value removes it
        part = draw(node, (*self.path, index), saved, required=required, situation=self._situation)
        part.label = _("Entry %d") % (index + 1)
        for each in part.everything():
            each.locked = each.locked or self.locked
        return Row(index, part, is_new)

    def bind(self, sent: Sent) -> None:
        """Take the rows that were sent; their numbers are those they were drawn with."""
        indexes = self._sent_indexes(sent)
        if self.locked or (not indexes and self.marker_name not in sent):
            return
        self._sent = True
        self.rows = [self._row(index) for index in indexes[:_MOST_ROWS]]
        if len(indexes) > MAX_ROWS:
            self.errors.append(_("Takes at most %d rows.") % MAX_ROWS)
        for row in self.rows:
            row.part.bind(sent)
            row.removed = row.remove_name in sent
        self.adds = self.add_name in sent
        self.complete()

    def _sent_indexes(self, sent: Sent) -> list[int]:
        start = f"{self.name}."
        found = (_INDEX.match(name, len(start)) for name in sent if name.startswith(start))
        return sorted({int(match[1]) for match in found if match})

    def untouched(self) -> bool:
        """Whether the rows are the drawn ones."""
        old = [row for row in self.rows if not row.is_new]
        same = len(old) == len(self._entries) and all(row.part.untouched() and not row.removed for row in old)
        return not self._sent or (same and all(row.dropped() for row in self.rows if row.is_new))

    def blank(self) -> bool:
        """Whether there is no entry."""
        return all(row.dropped() for row in self.rows)

    def value(self) -> Any:
        """The entries that are left; no entry is no list, unless a list must be there or would come back."""
        if not self._sent or self.kept():
            self._positions = list(range(len(self._entries)))
            return self.saved
        found = []
        for position, row in enumerate(self.rows):
            if not row.dropped() and (value := row.part.value()) is not MISSING:
                found.append(value)
                self._positions.append(position)
        return found if found or self.required or "default" in self.node else MISSING

    def children(self) -> Iterator[Part]:
        """The rows."""
        yield from (row.part for row in self.rows)

    def at(self, path: Path) -> Part:
        """The row of the entry that `path` starts with."""
        if not path or not isinstance(path[0], int) or not path[0] < len(self._positions):
            return self
        return self.rows[self._positions[path[0]]].part.at(path[1:])

    @property
    def anchor(self) -> str:
        """The first row's control, or the list itself."""
        return self.rows[0].part.anchor if self.rows else self.id
