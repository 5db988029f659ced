"""Secrets that nobody can mistake for anything else, and a search for them wherever they may have got to, however wrapped."""

from __future__ import annotations

import base64
import binascii
import logging
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from secrets import token_hex
from urllib.parse import unquote_to_bytes

from django.db import connection
from django.utils.log import AdminEmailHandler

from plugin_framework.tenancy import public_scope

_RUN = re.compile(r"[A-Za-z0-9+/_=-]{16,}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")
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
        return frozenset({self.core, self.core[::-1], data.hex(), data.hex().upper(), *map(_base64_at(data), range(3))})

    def leaks(self, text: str) -> list[str]:
        """Where `text`, or what is wrapped in it, holds one of the forms: the words around the first, and how deep."""
        found = []
        for depth, layer in _layers(text):
            for form in self.forms:
                if (at := layer.find(form)) >= 0:
                    found.append(f"{self.what}, {depth} layers deep: …{layer[max(0, at - 60) : at + 60]}…")
        return found


def _base64_at(data: bytes):  # type: ignore[no-untyped-def]  # a closure over the bytes
    def at(offset: int) -> str:
        whole = base64.b64encode(b"\0" * offset + data).decode()
        first = -(-offset * 8 // 6)  # characters that share bits with what stands before
        return whole[first + (offset > 0) : -4]

    return at


def _layers(text: str, depth: int = 0) -> Iterator[tuple[int, str]]:
    """`text`, and what is base64, packed, percent-encoded or hexadecimal in it, twice over."""
    yield depth, text
    if depth == 2:
        return
    if "%" in text:
        yield depth + 1, unquote_to_bytes(text).decode("utf-8", "replace")
    for run in _RUN.findall(text):
        inner = _decoded(run)
        if inner:
            yield from _layers(inner, depth + 1)
    for run in _HEX.findall(text):
        yield from _layers(bytes.fromhex(run).decode("latin-1"), depth + 1)


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

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(_NOT_OURS):
            return
        self.lines.append(f"{record.name} {self.format(record)}\n{record.__dict__!r}")
        if record.levelno >= logging.ERROR:
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


def found(canaries: Iterable[Canary], places: Iterable[tuple[str, str]]) -> list[str]:
    """Every place that holds a canary, with the words around it."""
    known = list(canaries)
    return [f"{place}: {leak}" for place, text in places for each in known for leak in each.leaks(text)]
