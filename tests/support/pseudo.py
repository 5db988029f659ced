"""A language in which every translated text is in brackets, to find those on a page that nobody can translate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

from django.utils import translation

OPEN, CLOSE = "\u27e6", "\u27e7"
_trans: Any = translation._trans  # what all functions of django.utils.translation ask
_SPOKEN = ("alt", "title", "placeholder", "aria-label", "data-label", "data-busy", "aria-description", "label")
_CODE = ("code", "pre", "script", "style", "time", "samp", "kbd", "option-data")


@contextmanager
def bracketed() -> Iterator[None]:
    """Within it, whatever goes through gettext comes out in brackets."""
    names = ("gettext", "ngettext", "pgettext", "npgettext")
    before = {name: getattr(_trans, name) for name in names}
    _trans.gettext = lambda text: _in_brackets(text)
    _trans.ngettext = lambda one, many, number: _in_brackets(one if number == 1 else many)
    _trans.pgettext = lambda context, text: _in_brackets(text)
    _trans.npgettext = lambda context, one, many, number: _in_brackets(one if number == 1 else many)
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(_trans, name, function)


def _in_brackets(text: object) -> str:
    return f"{OPEN}{text}{CLOSE}" if str(text).strip() else str(text)


class _Bare(HTMLParser):
    """Collects text outside of brackets; code, times and what says `translate="no"` are data."""

    def __init__(self, data: re.Pattern[str]) -> None:
        super().__init__()
        self.data, self.found, self.depth, self.skipped = data, [], 0, [False]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        for name in _SPOKEN:
            if name in said and not self.skipped[-1]:
                self._look(said[name], 0, f"{name}=")
        if tag == "input" and said.get("type") in ("submit", "button"):
            self._look(said.get("value", ""), 0, "value=")
        if tag not in ("input", "img", "link", "meta", "br", "hr", "source", "wbr", "path", "rect", "circle", "col"):
            self.skipped.append(self.skipped[-1] or tag in _CODE or said.get("translate") == "no")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if len(self.skipped) > 1 and tag not in (
            "input",
            "img",
            "link",
            "meta",
            "br",
            "hr",
            "source",
            "wbr",
            "path",
            "rect",
            "circle",
            "col",
        ):
            self.skipped.pop()

    def handle_endtag(self, tag: str) -> None:
        if len(self.skipped) > 1:
            self.skipped.pop()

    def handle_data(self, data: str) -> None:
        if self.skipped[-1]:
            self.depth += data.count(OPEN) - data.count(CLOSE)
            return
        self.depth = self._look(data, self.depth, "")

    def _look(self, text: str, depth: int, where: str) -> int:
        bare = ""
        for sign in text:
            depth += sign == OPEN
            bare += sign if depth == 0 else " "
            depth -= sign == CLOSE
        bare = self.data.sub(" ", bare.replace(CLOSE, " "))
        if re.search(r"[A-Za-z]{2,}", bare):
            self.found.append(f"{where}{' '.join(bare.split())[:100]}")
        return depth


def bare(page: str, data: re.Pattern[str]) -> list[str]:
    """The texts on `page` that did not go through gettext, without what fits `data`."""
    parser = _Bare(data)
    parser.feed(page)
    parser.close()
    return parser.found
