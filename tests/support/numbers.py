"""The numbers on a page: those that people read, and those that a program does."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.support.pseudo import _CODE, _SPOKEN

_VOID = {"input", "img", "link", "meta", "br", "hr", "source", "wbr"}
_LONG = re.compile(r"(?<![\w.,/:#-])\d{4,}(?![\w/:-])")  # a number of four digits or more that stands by itself
_APART = re.compile(r"(?<![\d.,])\d{1,3}(?:[.,]\d{3})+(?![\d.,])")


class Numbers(HTMLParser):
    """Long numbers in texts; and in attributes that no person reads, numbers whose thousands are set apart."""

    def __init__(self) -> None:
        super().__init__()
        self.plain: list[str] = []
        self.spoilt: list[str] = []
        self.apart: list[str] = []
        self._skipped = [False]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in _SPOKEN:
                self._look(value or "")
            elif _APART.search(value or "") and not (tag == "meta" or name == "d"):
                self.spoilt.append(f'{name}="{value}"')
        if tag not in _VOID:
            self._skipped.append(self._skipped[-1] or tag in _CODE or dict(attrs).get("translate") == "no")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._skipped.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and len(self._skipped) > 1:
            self._skipped.pop()

    def handle_data(self, data: str) -> None:
        if not self._skipped[-1]:
            self._look(data)

    def _look(self, text: str) -> None:
        self.plain += [f"{found[0]} in {' '.join(text.split())[:80]!r}" for found in _LONG.finditer(text)]
        self.apart += _APART.findall(text)


def numbers(page: str) -> Numbers:
    """What `page` shows: `plain`, long numbers as a program writes them; `apart`, as people do; `spoilt`, ids and the like as people do."""
    found = Numbers()
    found.feed(page)
    found.close()
    return found
