"""Reads a form out of a page and fills it in as a browser does: only what is drawn can be sent, line endings change on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.http import QueryDict


@dataclass
class Control:
    """One input, textarea, select or button of a page."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    options: list[dict[str, str]] = field(default_factory=list)
    disabled: bool = False

    @property
    def name(self) -> str:
        return self.attributes.get("name", "")

    def sent(self) -> list[str]:
        """What the browser sends for this control, if nobody touches it."""
        kind = self.attributes.get("type", "text" if self.tag == "input" else "")
        if self.disabled or not self.name or self.tag == "button":
            return []
        if self.tag == "select":
            chosen = [each for each in self.options if "selected" in each] or self.options[:1]
            return [chosen[-1].get("value", "")] if chosen else []
        if kind in {"checkbox", "radio"}:
            return [self.attributes.get("value", "on")] if "checked" in self.attributes else []
        if self.tag == "textarea":
            return [self.text.removeprefix("\n")]
        value = self.attributes.get("value", "").replace("\n", "").replace("\r", "")
        return [value.strip() if kind in {"email", "url"} else value]


class Page(HTMLParser):
    """A page's controls and ids."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.controls: list[Control] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._fieldsets: list[bool] = []
        self._area: Control | None = None
        self.text = ""
        self.feed(text.replace("\r\n", "\n").replace("\r", "\n"))
        self.close()
        assert not self._fieldsets, "a fieldset is left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        assert len(found) == len(attrs), f"an attribute stands twice: {attrs}"
        self.elements.append((tag, found))
        if tag == "fieldset":
            self._fieldsets.append("disabled" in found)
        elif tag == "option":
            self.controls[-1].options.append(found)
        elif tag in {"input", "textarea", "select", "button"}:
            self.controls.append(Control(tag, found, disabled="disabled" in found or any(self._fieldsets)))
            self._area = self.controls[-1] if tag == "textarea" else None

    def handle_endtag(self, tag: str) -> None:
        if tag == "fieldset":
            self._fieldsets.pop()
        if tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area.text += data
        else:
            self.text += data

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _tag, attributes in self.elements if "id" in attributes]

    def attributes_of(self, name: str) -> dict[str, str]:
        """The attributes of the last control of that name."""
        return next(each.attributes for each in reversed(self.controls) if each.name == name)

    def submit(self, press: str = "", **changes: str | list[str] | None) -> QueryDict:
        """What the browser sends: all that is drawn, with `changes` (None: unticked, or not sent at all)."""
        data = QueryDict(mutable=True)
        for control in self.controls:
            for value in control.sent():
                data.appendlist(control.name, value.replace("\r\n", "\n").replace("\n", "\r\n"))
        for name, change in changes.items():
            data.pop(name, None)
            if change is not None:
                data.setlist(name, [change] if isinstance(change, str) else change)
        if press:
            button = next(each for each in self.controls if each.tag == "button" and each.name == press)
            data[press] = button.attributes["value"]
        return data
