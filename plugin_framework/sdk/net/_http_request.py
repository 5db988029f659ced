"""Writes an HTTP/1.1 request: every byte of it checked, so that no value can add a header or a second request."""

from __future__ import annotations

import json as jsonlib
import re
from collections.abc import Mapping

from plugin_framework.sdk._words import Phrase
from plugin_framework.sdk.net._errors import InvalidRequest
from plugin_framework.sdk.net._url import Target

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,8000}")
# Ours alone: they decide where a request ends, or ask for an answer we would not read.
_RESERVED = frozenset(
    (
        *("host", "content-length", "transfer-encoding", "trailer", "te", "connection", "keep-alive", "expect"),
        *("upgrade", "accept-encoding", "proxy-authorization", "proxy-connection"),
    )
)

_NO_METHOD = Phrase("This is not an HTTP method that can be sent.")
_BOTH = Phrase("A request has a JSON value or a body, not both.")
_NO_JSON = Phrase(
    "The value cannot be written as JSON. Send text, finite numbers, lists and dictionaries with text keys."
)
_BAD_HEADER = Phrase("A header has a line break or another character that cannot be sent, or is too long.")
_OURS = Phrase("The header %(name)s is set by the client itself. Leave it out.")

type Json = object  # whatever json.dumps can write


def write_request(
    method: str,
    target: Target,
    *,
    json: Json = None,
    body: bytes | str | None = None,
    headers: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
) -> bytes:
    """The whole request as bytes.

    Raises:
        InvalidRequest: a header is malformed or reserved, or the content cannot be written; permanent. No value is
            repeated.
    """
    content, kind = _content(json, body)
    lines = {
        "host": target.authority,
        "user-agent": "Tenantry",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
    }
    if kind:
        lines["content-type"] = kind
    if content is not None or method in {"POST", "PUT", "PATCH"}:
        lines["content-length"] = str(len(content or b""))
    lines |= _checked(headers or {})
    if idempotency_key is not None:
        lines |= _checked({"Idempotency-Key": idempotency_key})
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{_method(method)} {target.path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (content or b"")


def _method(method: str) -> str:
    if not _TOKEN.fullmatch(method) or method in {"CONNECT", "TRACE"}:
        raise InvalidRequest(_NO_METHOD.text)
    return method


def _content(json: Json, body: bytes | str | None) -> tuple[bytes | None, str]:
    if body is not None:
        if json is not None:
            raise InvalidRequest(_BOTH.text)
        return (body.encode(errors="replace"), "text/plain; charset=utf-8") if isinstance(body, str) else (body, "")
    if json is None:
        return None, ""
    try:
        text: str | None = jsonlib.dumps(json, allow_nan=False)
    except (TypeError, ValueError, RecursionError):  # their texts can hold the value, which may be private
        text = None
    if text is None:
        raise InvalidRequest(_NO_JSON.text)
    return text.encode("ascii"), "application/json"


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    checked = {}
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise InvalidRequest(_BAD_HEADER.text)
        if name.lower() in _RESERVED:
            raise InvalidRequest(_OURS(name=name).english)
        checked[name.lower()] = value
    return checked
