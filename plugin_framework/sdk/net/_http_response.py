"""Reads an HTTP answer under limits, and holds what came of it."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, cast

from plugin_framework.sdk._words import Phrase
from plugin_framework.sdk.net._errors import (
    ConnectionBroken,
    HttpStatusError,
    InvalidAnswer,
    NetworkError,
    RedirectRefused,
)
from plugin_framework.sdk.net._statuses import status_in_words
from plugin_framework.sdk.net._wire import CUT_OFF, TooMuchData, Wire

MOST_HEADER_BYTES = 32768
_LONGEST_WAIT = 86400.0  # seconds; nobody parks our delivery for longer with one header
_PIECE = 8192


class Headers(Mapping[str, str]):
    """The headers of an answer by name, in any case; a repeated one is joined with commas."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            self._values[key] = f"{self._values[key]}, {value}" if key in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


_TOO_MUCH = Phrase("%(host)s sent more than is accepted")
_NO_JSON = Phrase("%(host)s did not answer with JSON")
_ANSWERED = Phrase("%(host)s answered %(status)s")
_REDIRECTED = Phrase("%(host)s answered %(status)s: redirects are not followed. Enter the final address.")
_NO_HTTP = Phrase("%(host)s did not answer in valid HTTP")


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What a host answered; any status but a redirect gets here, so look at `ok` or call `raise_for_status`.

    Args:
        status: the HTTP status.
        headers: by name, in any case.
        body: as it came, at most the policy's `max_response_bytes`; never decompressed.
        elapsed_ms: milliseconds for everything, DNS included.
        host: who answered, for messages.
        truncated: True when there was more than we read. It is not an error: the other side did take the request, and
            sending it again would only do the same twice.
        method: of the request that was answered.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    elapsed_ms: int
    host: str
    truncated: bool = False
    method: str = ""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def text(self) -> str:
        """The body as UTF-8, with replacement characters where it is not; only its beginning when `truncated`."""
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            InvalidAnswer: it is not JSON, or was longer than is read.
        """
        if not self.truncated:
            try:
                return json.loads(self.body)
            except (ValueError, RecursionError):
                pass  # said in our words below, without what the other side wrote
        raise InvalidAnswer((_TOO_MUCH if self.truncated else _NO_JSON)(host=self.host).english)

    def raise_for_status(self) -> None:
        """Do nothing for a 2xx.

        Raises:
            HttpStatusError: for any other status, with its `status`, `retry_after` and `permanent`.
        """
        if not self.ok:
            raise status_error(self)


def status_error(response: HttpResponse) -> HttpStatusError:
    """The error for an answer that is not 2xx."""
    words = {"host": response.host, "status": status_in_words(response.status)}
    if is_redirect(response.status):
        return RedirectRefused(_REDIRECTED(**words).english, status=response.status)
    wait = parse_retry_after(response.headers.get("retry-after", ""), now=datetime.now(UTC))
    return HttpStatusError(
        _ANSWERED(**words).english,
        status=response.status,
        retry_after=wait,
        permanent=response.status == HTTPStatus.GONE,
    )


def is_redirect(status: int) -> bool:
    """Whether the status is 3xx; 304 is the answer to a conditional request and leads nowhere."""
    return 300 <= status < 400 and status != HTTPStatus.NOT_MODIFIED


def parse_retry_after(value: str, *, now: datetime) -> float | None:
    """Seconds to wait, from either form of Retry-After (RFC 9110 §10.2.3): at most a day, None if unreadable."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:20]), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), _LONGEST_WAIT)


def read_response(wire: Wire, method: str, *, max_body: int) -> tuple[int, Headers, bytes, bool]:
    """Status, headers, body and whether the body was longer, read from `wire` under its deadline.

    Raises:
        InvalidAnswer: it is not HTTP, or its headers are too many or too long.
        ConnectionBroken: it ended too early.
        NetworkTimeout: it did not end in time.
    """
    try:
        with contextlib.closing(_read_head(wire, method)) as answer:
            # What frames the chunks is read too and is not body; a sender of one-byte chunks gets what fits.
            wire.grant(2 * max_body + MOST_HEADER_BYTES)
            body, truncated = _read_body(answer, max_body)
            return answer.status, Headers(answer.headers.items()), body, truncated
    except http.client.IncompleteRead:
        failure: NetworkError = ConnectionBroken(CUT_OFF(host=wire.destination.host).english)
    except http.client.HTTPException:  # its text quotes what came
        failure = InvalidAnswer(_NO_HTTP(host=wire.destination.host).english)
    raise failure


class _Source:
    """What http.client expects of a socket: one reader, shared by interim and final answers."""

    def __init__(self, reader: io.BufferedReader) -> None:
        self._reader = reader

    def makefile(self, _mode: str) -> io.BufferedReader:
        return self._reader


def _read_head(wire: Wire, method: str) -> http.client.HTTPResponse:
    wire.grant(MOST_HEADER_BYTES)
    source = cast(socket.socket, _Source(wire.makefile()))
    while True:
        answer = http.client.HTTPResponse(source, method=method)
        try:
            answer.begin()
            if answer.status >= 200:
                return answer
            if answer.status == HTTPStatus.SWITCHING_PROTOCOLS:
                raise http.client.UnknownProtocol("101")
        except BaseException:
            answer.close()  # else the garbage collector does, in any order, and complains
            raise
        answer.fp = None  # type: ignore[assignment] # a dropped interim answer must not close the shared reader


def _read_body(answer: http.client.HTTPResponse, most: int) -> tuple[bytes, bool]:
    body = bytearray()
    while len(body) <= most:
        try:
            piece = answer.read(min(_PIECE, most + 1 - len(body)))
        except TooMuchData:
            return bytes(body[:most]), True
        if not piece:
            if answer.length:  # http.client lets a body end early when it is read in pieces
                raise http.client.IncompleteRead(b"", answer.length)
            return bytes(body), False
        body += piece
    return bytes(body[:most]), True
