"""Secrets that nobody can mistake for anything else, and a search for them wherever they may have got to, however wrapped."""

from __future__ import annotations

import base64
import binascii
import logging
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from secrets import token_hex
from urllib.parse import unquote_to_bytes

from django.db import connection
from django.utils.log import AdminEmailHandler

from plugin_framework.tenancy import public_scope

_RUN = re.compile(r"[A-Za-z0-9+/_=-]{16,}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")
_DEEPEST = 2  # layers
_MAILS = 3  # of errors that are logged by one line of code with one text
_ZLIB = 0x78  # the first byte of what zlib has packed
# The receivers' own logs: they play somebody else's server, and that one may know what it is sent.
_NOT_OURS = ("mail.log", "mail.debug", "asyncio")
_TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1
"""


@dataclass(frozen=True)
class Canary:
    """One planted secret: a random core that every way of quoting leaves as it is, among characters that each way changes."""

    what: str
    core: str = field(default_factory=lambda: f"cAnAry{token_hex(12)}")

    @property
    def password(self) -> str:
        """As a password with everything in it that HTML, JSON, URLs and Python's repr write differently."""
        return f"pä +&<'{self.core}'>\\\"%2f/="

    @property
    def forms(self) -> frozenset[str]:
        """The core as it is, reversed, in hexadecimal digits, and in base64 wherever in a longer text it stands."""
        data = self.core.encode()
        return frozenset(
            {self.core, self.core[::-1], data.hex(), data.hex().upper(), *(_base64_at(data, each) for each in range(3))}
        )


def _base64_at(data: bytes, offset: int) -> str:
    whole = base64.b64encode(b"\0" * offset + data).decode()
    return whole[(offset * 8 + 5) // 6 : -4]  # the characters that share no bits with what stands around


class Search:
    """Looks for canaries in texts and in what is wrapped in them: base64, packed, percent-encoded, in hexadecimal digits, twice over.

    What was found clean once is not looked at again: pages and log lines are much alike.
    """

    def __init__(self, canaries: Iterable[Canary]) -> None:
        self._forms = {form: each.what for each in canaries for form in each.forms}
        self._clean: set[tuple[int, str]] = set()

    def leaks(self, text: str, depth: int = 0) -> list[str]:
        """Which canary `text` holds, how deep, and the words around it."""
        if (depth, text) in self._clean:
            return []
        hits = ((text.find(form), what) for form, what in self._forms.items())
        found = [f"{what}, {depth} layers deep: …{text[max(0, at - 60) : at + 60]}…" for at, what in hits if at >= 0]
        if depth < _DEEPEST:
            found += [leak for inner in _unwrapped(text) for leak in self.leaks(inner, depth + 1)]
        if not found:
            self._clean.add((depth, text))
        return found

    def found(self, places: Iterable[tuple[str, str]]) -> list[str]:
        """Every place that holds a canary; `places` are names and texts."""
        return [f"{place}: {leak}" for place, text in places for leak in self.leaks(text)]


def _unwrapped(text: str) -> Iterator[str]:
    if "%" in text:
        yield unquote_to_bytes(text).decode("utf-8", "replace")
    for run in set(_RUN.findall(text)):
        if inner := _decoded(run):
            yield inner
    for run in set(_HEX.findall(text)):
        yield bytes.fromhex(run).decode("latin-1")


def _decoded(run: str) -> str:
    body = run.strip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4))
    except binascii.Error:
        return ""
    if data[:1] == bytes([_ZLIB]):
        try:
            data = zlib.decompress(data)
        except zlib.error:
            return ""
    return data.decode("latin-1")


def dump() -> Iterator[tuple[str, str]]:
    """Every table of every schema, and all of its rows as text."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(_TABLES)
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT t::text FROM {table} t")
            yield table, "\n".join(row for (row,) in cursor.fetchall())


class Everything(logging.Handler):
    """Keeps all that is logged: the line, the record's own fields, and the mail that Django would send to its admins."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self._mailed = _Report(include_html=True)
        self._seen: Counter[tuple[str, int, object]] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(_NOT_OURS):
            return
        self.lines.append(f"{record.name} {self.format(record)}\n{record.__dict__!r}")
        self._seen[where := (record.pathname, record.lineno, record.msg)] += 1
        if record.levelno >= logging.ERROR and self._seen[where] <= _MAILS:
            self._mailed.emit(record)
            self.lines += self._mailed.reports
            self._mailed.reports.clear()

    def text(self) -> str:
        return "\n".join(self.lines)


class _Report(AdminEmailHandler):
    """Django's mail to the admins, kept instead of sent."""

    def __init__(self, **options: bool) -> None:
        super().__init__(**options)
        self.reports: list[str] = []

    def send_mail(self, subject: str, message: str, *args: object, html_message: str = "", **kwargs: object) -> None:
        self.reports.append(f"{subject}\n{message}\n{html_message}")
