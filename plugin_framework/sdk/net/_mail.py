"""Turns a message into the bytes for the wire, checked so that nothing in it can add a header or a command."""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import errors as email_errors
from email.generator import BytesGenerator
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import formatdate, make_msgid
from typing import cast

from plugin_framework.sdk._words import Phrase
from plugin_framework.sdk.net._errors import InvalidRequest

_ADDRESS = re.compile(r"[^\s\x00-\x20\x7f<>()\[\],;:\\\"@]{1,64}@([^\s\x00-\x20\x7f<>()\[\],;:\\\"@]{1,253})")
_HEADER_NAME = re.compile(r"[!-9;-~]{1,200}")
_BREAKS_OUT = re.compile(r"\r(?!\n)|\n(?![ \t])|\x00")  # a line break that does not continue the header, or a null
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
_NO_RECIPIENT = Phrase("A message needs a list of at least one recipient.")
_MALFORMED = Phrase(
    "An e-mail address is malformed. Write it as name@example.com, without a name or brackets around it."
)
_BAD_HEADER = Phrase(
    "The message cannot be written: a header of it breaks the rules for mail. Correct its subject and its addresses."
)
_BROKEN_HEADER = Phrase("A header of the message has a line break in it. Remove it from the subject and the names.")


@dataclass(frozen=True, slots=True)
class Envelope:
    """Everything SMTP needs of one message, checked."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes = field(repr=False)  # with CRLF line ends, ready for DATA
    international: bool  # an address has letters beyond ASCII before the @


def pack(message: EmailMessage, *, sender: str, recipients: Sequence[str]) -> Envelope:
    """Check and serialise; `message` is left as it is. A missing Date or Message-ID is added, Bcc is left out.

    Raises:
        InvalidRequest: an address or a header is malformed, there is no recipient, or the message cannot be written;
            permanent.
    """
    if isinstance(recipients, str) or not recipients:
        raise InvalidRequest(_NO_RECIPIENT.text)
    origin, *to = (_address(address) for address in (sender, *recipients))
    international = not all(address.isascii() for address in (origin, *to))
    return Envelope(origin, tuple(to), _serialise(message, origin, utf8=international), international)


def _address(address: str) -> str:
    """`address` with its domain in ASCII.

    Only the plain form is taken: no display name, no quoted local part, no comments, which servers read in different
    ways.
    """
    match = _ADDRESS.fullmatch(address)
    domain = ""
    if match:
        try:
            domain = match[1].encode("idna").decode("ascii")
        except UnicodeError:
            domain = ""
    if not match or not domain or len(address) > 254:
        raise InvalidRequest(_MALFORMED.text)
    return f"{address.rpartition('@')[0]}@{domain}"


def _serialise(message: EmailMessage, sender: str, *, utf8: bool) -> bytes:
    _check_headers(message)
    finished = copy.copy(message)
    del finished["Bcc"], finished["Resent-Bcc"]
    if "Date" not in finished:
        finished["Date"] = formatdate(localtime=False, usegmt=True)
    if (
        "Message-ID" not in finished
    ):  # with a domain, for without one Python asks DNS for this machine's name, without a limit
        finished["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    data = _write(finished, utf8=utf8)
    if data is None:
        raise InvalidRequest(_BAD_HEADER.text)
    return _LEADING_DOT.sub(b"..", _LINE_END.sub(b"\r\n", data))


def _check_headers(message: EmailMessage) -> None:
    for part in message.walk():
        for name, value in part.raw_items():
            if not _HEADER_NAME.fullmatch(name) or _BREAKS_OUT.search(str(value)):
                raise InvalidRequest(_BROKEN_HEADER.text)


def _write(message: EmailMessage, *, utf8: bool) -> bytes | None:
    buffer = io.BytesIO()
    # 7bit: not every server takes eight, and the ones that do gain nothing by it.
    policy = cast(EmailPolicy, message.policy).clone(linesep="\r\n", utf8=utf8, cte_type="7bit")
    try:
        BytesGenerator(buffer, policy=policy).flatten(message)
    except (email_errors.MessageError, UnicodeError, ValueError):  # their texts quote the header
        return None
    return buffer.getvalue()
