"""The texts in a template's source that do not go through gettext: in its own words, whatever page they end up on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from django.template.base import Lexer, TokenType

from tests.support.pseudo import bare

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("templates", "saas", "tenants", "plugin_framework", "plugins")
NAMES = re.compile(r"\b(?:Tenantry|UTC|ms)\b|https?://\S+|&[a-z]+;")  # what is called the same in every language
_CLASSES = ["block", "content_class"]  # what is in it stands in a class attribute
_FILTERED = re.compile(r"""\|default(?:_if_none)?:\s*["']([^"']*[A-Za-z]{2,}[^"']*)["']|\|yesno:\s*["']([^"']+)["']""")


def sources() -> Iterator[Path]:
    """The templates of pages and mails, the platform's and the built-in plugins'."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".html", ".txt") and "templates" in path.parts and "startplugin" not in path.parts:
                yield path


def untranslated(source: str, *, html: bool = True) -> list[str]:
    """What `source` says by itself, outside of the tags that translate."""
    rest = "".join(_said(source))
    if html:
        return bare(rest, NAMES)
    lines = NAMES.sub(" ", rest).splitlines()
    return [" ".join(line.split()) for line in lines if re.search(r"[A-Za-z]{2,}", line)]


def _said(source: str) -> Iterator[str]:
    """The source with its own texts as they stand, translated ones left out, and signs for what is filled in."""
    inside = unread = False
    for token in Lexer(source).tokenize():
        words = token.contents.split() if token.token_type is TokenType.BLOCK else []
        tag = words[0] if words else ""
        if tag == "comment" or words[:2] == _CLASSES:
            unread = True
        elif unread:
            unread = tag not in ("endcomment", "endblock")
        elif tag in ("blocktranslate", "blocktrans"):
            inside = True
        elif tag in ("endblocktranslate", "endblocktrans"):
            inside = False
        elif token.token_type is TokenType.TEXT:
            yield " " if inside else token.contents
        elif token.token_type is TokenType.VAR:
            yield "".join(" ".join(found) for found in _FILTERED.findall(token.contents)) or "#"
