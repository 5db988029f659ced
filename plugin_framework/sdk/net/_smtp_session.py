"""One conversation with a mail server, over a wire that bounds its time and size; every answer in plain words."""

from __future__ import annotations

import base64
import hmac
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from typing import cast

from plugin_framework.sdk._masking import HIDDEN, Masker
from plugin_framework.sdk._words import Phrase
from plugin_framework.sdk.net._errors import InvalidAnswer, InvalidRequest, NetworkError, SmtpError
from plugin_framework.sdk.net._mail import Envelope
from plugin_framework.sdk.net._wire import Wire

_LONGEST_LINE = 2048  # bytes; RFC 5321 allows 512
_MOST_LINES = 100
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and a password that do not show in a repr."""

    username: str = field(repr=False)
    password: str = field(repr=False)

    def __bool__(self) -> bool:
        return bool(self.username)


_NO_SERVER = Phrase("%(host)s did not answer like a mail server")
_NO_STARTTLS = Phrase("%(host)s does not offer STARTTLS. Choose another kind of encryption, or another port.")
_NO_LOGIN = Phrase("%(host)s offers no sign-in here. Leave user name and password empty, or choose another encryption.")
_NOT_CHECKED = Phrase("%(host)s could not check the sign-in just now (%(code)s)")
_WRONG_LOGIN = Phrase("%(host)s refused the user name or password (%(code)s)")
_ASCII_ONLY = Phrase("%(host)s does not take addresses with letters beyond ASCII. Use addresses without them.")
_HALF_LOGIN = Phrase("A sign-in needs both a user name and a password. Enter both, or leave both empty.")
_BAD_LOGIN = Phrase("The user name or password has characters that cannot be sent, or is too long.")
_REFUSED = {
    "connection": Phrase("%(host)s refused the connection: %(answer)s"),
    "greeting": Phrase("%(host)s refused our greeting: %(answer)s"),
    "message": Phrase("%(host)s refused the message: %(answer)s"),
    "recipient": Phrase("%(host)s refused the recipient %(address)s: %(answer)s"),
    "sender": Phrase("%(host)s refused the sender %(address)s: %(answer)s"),
    "STARTTLS": Phrase("%(host)s refused STARTTLS: %(answer)s"),
}


class Session(smtplib.SMTP):
    """smtplib's commands over our own wire, and our own words for what the server says.

    smtplib would resolve the name again, give each read its own timeout, read replies of any length, and try the
    password with one mechanism after the other (which locks accounts).
    """

    def __init__(self, wire: Wire, *, ehlo_name: str, login: Login) -> None:
        super().__init__(local_hostname=ehlo_name)  # no host: it does not connect
        self._host = wire.destination.host
        self._wire = wire
        self._login = login
        self._secrets: list[str] = []
        self._use_wire()

    def open(self, *, tls: str, context: ssl.SSLContext) -> None:
        """TLS as asked for, greeting, EHLO, and the sign-in if there is one."""
        if tls == "tls":
            self._wire.start_tls(context)
            self._use_wire()
        self._expect(self.getreply(), 220, "connection")
        self._greet()
        if tls == "starttls":
            self._upgrade(context)
        if self._login:
            self._log_in()

    def deliver(self, envelope: Envelope) -> str:
        """Hand over one message to all its recipients or to none; the server's last words are returned.

        A server takes a message for some recipients and refuses others. Then nothing is sent: sending it again later
        would reach the accepted ones twice.
        """
        options = self._mail_options(envelope)
        self._expect(self.docmd("MAIL", f"FROM:<{envelope.sender}>{options}"), 250, "sender", envelope.sender)
        for recipient in envelope.recipients:
            reply = self.docmd("RCPT", f"TO:<{recipient}>")
            self._expect(reply, 251 if reply[0] == 251 else 250, "recipient", recipient)
        self._expect(self.docmd("DATA"), 354, "message")
        self.send(envelope.content + (b"" if envelope.content.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        return self._expect(self.getreply(), 250, "message")

    def probe(self) -> str:
        """Ask for nothing, to see that the server still answers after the sign-in."""
        return self._expect(self.docmd("NOOP"), 250, "connection")

    def getreply(self) -> tuple[int, bytes]:
        """One reply, its lines joined.

        Raises:
            InvalidAnswer: it is no SMTP reply, or too long.
            ConnectionBroken: the server hung up.
        """
        lines: list[bytes] = []
        while len(lines) < _MOST_LINES:
            line = self._reader.readline(_LONGEST_LINE + 1)
            if len(line) > _LONGEST_LINE or not re.match(rb"[2-5][0-9]{2}[ -]|[2-5][0-9]{2}\r?\n", line):
                break
            lines.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)
        raise InvalidAnswer(_NO_SERVER(host=self._host).english)

    def _use_wire(self) -> None:
        self.sock = cast(socket.socket, self._wire)
        self._reader = (
            self._wire.makefile()
        )  # a new one after STARTTLS: what came before it in the clear must not count

    def _greet(self) -> None:
        code, _text = self.ehlo()
        if code != 250:
            self._expect(self.helo(), 250, "greeting")

    def _upgrade(self, context: ssl.SSLContext) -> None:
        if not self.has_extn("starttls"):
            raise SmtpError(_NO_STARTTLS(host=self._host).english)
        self._expect(self.docmd("STARTTLS"), 220, "STARTTLS")
        self._wire.start_tls(context)
        self._use_wire()
        self._greet()

    def _log_in(self) -> None:
        offered = self.esmtp_features.get("auth", "").upper().split()
        for mechanism, login in (("PLAIN", self._plain), ("LOGIN", self._in_turn), ("CRAM-MD5", self._challenged)):
            if mechanism in offered:
                code = login()
                break
        else:
            raise SmtpError(_NO_LOGIN(host=self._host).english)
        if code not in (235, 503):  # 503: already signed in
            raise self._login_error(code)

    def _login_error(self, code: int) -> SmtpError:
        # Without the server's text: it may repeat what it was sent.
        if 400 <= code < 500:
            return SmtpError(_NOT_CHECKED(host=self._host, code=code).english, status=code)
        return SmtpError(_WRONG_LOGIN(host=self._host, code=code).english, status=code)

    def _plain(self) -> int:
        return self.docmd("AUTH", f"PLAIN {self._encoded(f'\0{self._login.username}\0{self._login.password}')}")[0]

    def _in_turn(self) -> int:
        code, _text = self.docmd("AUTH", "LOGIN")
        for answer in (self._login.username, self._login.password):
            if code == 334:
                code, _text = self.docmd(self._encoded(answer))
        return code

    def _challenged(self) -> int:
        code, text = self.docmd("AUTH", "CRAM-MD5")
        if code != 334:
            return code
        try:
            challenge = base64.b64decode(text, validate=True)
        except ValueError:
            challenge = b""
        digest = hmac.new(self._login.password.encode(), challenge, "md5").hexdigest()
        return self.docmd(self._encoded(f"{self._login.username} {digest}"))[0]

    def _encoded(self, text: str) -> str:
        encoded = base64.b64encode(text.encode()).decode("ascii")
        self._secrets.append(encoded)
        return encoded

    def _mail_options(self, envelope: Envelope) -> str:
        options = f" SIZE={len(envelope.content)}" if self.has_extn("size") else ""
        if envelope.international:
            if not self.has_extn("smtputf8"):
                raise SmtpError(_ASCII_ONLY(host=self._host).english, permanent=True)
            self.command_encoding = "utf-8"
            options += " BODY=8BITMIME SMTPUTF8"
        return options

    def _expect(self, reply: tuple[int, bytes], wanted: int, what: str, address: str = "") -> str:
        code, text = reply
        words = self._readable(text)
        if code == wanted:
            return words
        raise SmtpError(
            _REFUSED[what](host=self._host, answer=f"{code} {words}".rstrip(), address=address).english,
            status=code,
            permanent=code >= 500,
        )

    def _readable(self, text: bytes) -> str:
        """The server's words, short, on one line, and without our own secrets in them."""
        words = text.decode("utf-8", errors="replace")
        for secret in self._secrets:
            words = words.replace(secret, HIDDEN)
        words = Masker(self._login.password).mask(words)
        return _UNPRINTABLE.sub(" ", words)[:200].strip()

    def quit_quietly(self) -> NetworkError | None:
        """Say goodbye. What was agreed before stands whatever comes of it, so a failure is returned and not raised."""
        try:
            self.docmd("QUIT")
        except NetworkError as exc:
            return exc.detached()
        return None


def check_login(login: Login) -> None:
    """Refuse what could not be sent, before anything is.

    Raises:
        InvalidRequest: half a sign-in, or one with control characters or too long.
    """
    if bool(login.username) != bool(login.password):
        raise InvalidRequest(_HALF_LOGIN.text)
    for value in (login.username, login.password):
        if len(value) > 1000 or re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", value):
            raise InvalidRequest(_BAD_LOGIN.text)
