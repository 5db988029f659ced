"""The SMTP client plugins get: a tenant's own mail server, under the same guard and the same one deadline as HTTP."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal

from plugin_framework.sdk._words import Phrase
from plugin_framework.sdk.net._errors import NetworkError, SmtpError
from plugin_framework.sdk.net._guard import Destination, Resolver, resolve
from plugin_framework.sdk.net._mail import pack
from plugin_framework.sdk.net._policy import PUBLIC_ONLY, Deadline, NetworkPolicy
from plugin_framework.sdk.net._smtp_session import Login, Session, check_login
from plugin_framework.sdk.net._wire import checked, connect

logger = logging.getLogger(__name__)

type TlsMode = Literal["none", "starttls", "tls"]

PORTS = frozenset({25, 465, 587, 2525})
_MODES = frozenset({"none", "starttls", "tls"})
# An address literal, as RFC 5321 §4.1.1.1 wants it from a client without a name; always this one, so that no inner
# address gets out.
_EHLO_NAME = "[127.0.0.1]"
_PRIVATE = Phrase("The password is not sent to %(host)s without encryption. Choose STARTTLS or TLS.")


@dataclass(frozen=True, slots=True)
class SmtpReceipt:
    """What the mail server said when it took the message (or answered the check), and how long it all took."""

    reply: str
    elapsed_ms: int


@dataclass(frozen=True, slots=True)
class _Server:
    host: str
    port: int
    tls: TlsMode
    login: Login


class SmtpClient:
    """Sends one message per connection; safe to share between threads, holds nothing open.

    Args:
        policy: where it may go and how long a whole conversation may take; replies together are at most
            `max_response_bytes` long.
        resolver: called and answering like `socket.getaddrinfo`.
        tls_context: a context that checks certificate and name, where the machine's own authorities are not enough.
        ehlo_name: what we call ourselves.

    Raises:
        ValueError: `tls_context` would not check the other side.
    """

    def __init__(
        self,
        policy: NetworkPolicy = PUBLIC_ONLY,
        *,
        resolver: Resolver = socket.getaddrinfo,
        tls_context: ssl.SSLContext | None = None,
        ehlo_name: str = _EHLO_NAME,
    ) -> None:
        self.policy = policy
        self._resolver = resolver
        self._tls = checked(tls_context)
        self._ehlo_name = ehlo_name

    def send(
        self,
        message: EmailMessage,
        *,
        host: str,
        port: int,
        tls: TlsMode = "starttls",
        username: str = "",
        password: str = "",
        sender: str,
        recipients: Sequence[str],
        timeout: float | None = None,
    ) -> SmtpReceipt:
        """Hand a message to a mail server, for all the recipients or for none.

        Args:
            message: as it is to be read; `sender` and `recipients` alone decide where it goes.
            host, port: the mail server; 25, 465, 587 and 2525 on public hosts.
            tls: "tls" from the first byte, "starttls" (required, not tried), or "none".
            username, password: both or neither; sent over an encrypted connection only (or to this machine, where the
                policy allows loopback).
            sender, recipients: plain addresses, `name@example.com`.
            timeout: seconds for the whole conversation; the policy's is the most.

        Raises:
            SmtpError: the server said no, does not offer what was asked for, or would get the password in the clear.
            DestinationRefused, DestinationUnreachable, NetworkTimeout, TlsError, ConnectionBroken, InvalidAnswer,
                InvalidRequest: as each says; all are `NetworkError`.
            ValueError: `tls` is none of the three, or `timeout` is not a positive number.
        """
        login = Login(username, password)
        password = ""  # so that no frame an error report may show keeps the real one
        server = _Server(host, port, _mode(tls), login)
        deadline = self.policy.deadline(timeout)
        try:
            envelope = pack(message, sender=sender, recipients=recipients)
            receipt = self._converse(server, deadline, lambda session: session.deliver(envelope))
        except NetworkError as exc:
            error = exc.detached()
        else:
            return receipt
        raise error

    def check(
        self,
        *,
        host: str,
        port: int,
        tls: TlsMode = "starttls",
        username: str = "",
        password: str = "",
        timeout: float | None = None,
    ) -> SmtpReceipt:
        """Connect, encrypt, sign in and leave again, without sending anything; arguments and errors as of `send`."""
        login = Login(username, password)
        password = ""  # as above
        server = _Server(host, port, _mode(tls), login)
        deadline = self.policy.deadline(timeout)
        try:
            receipt = self._converse(server, deadline, Session.probe)
        except NetworkError as exc:
            error = exc.detached()
        else:
            return receipt
        raise error

    def _converse(self, server: _Server, deadline: Deadline, act: Callable[[Session], str]) -> SmtpReceipt:
        started = time.monotonic()
        check_login(server.login)
        destinations = resolve(
            server.host, server.port, policy=self.policy, ports=PORTS, deadline=deadline, resolver=self._resolver
        )
        self._keep_password_private(server, destinations)
        wire = connect(destinations, policy=self.policy, deadline=deadline, allowance=self.policy.max_response_bytes)
        try:
            session = Session(wire, ehlo_name=self._ehlo_name, login=server.login)
            session.open(tls=server.tls, context=self._tls)
            reply = act(session)
            if failure := session.quit_quietly():
                logger.debug("%s did not say goodbye: %s", wire.destination.host, failure)
        finally:
            wire.close()
        return SmtpReceipt(reply, round((time.monotonic() - started) * 1000))

    def _keep_password_private(self, server: _Server, destinations: tuple[Destination, ...]) -> None:
        local = self.policy.allow_loopback and all(destination.is_loopback for destination in destinations)
        if server.login and server.tls == "none" and not local:
            raise SmtpError(
                _PRIVATE(host=destinations[0].host).english,
                permanent=True,
            )


def _mode(tls: TlsMode) -> TlsMode:
    if tls not in _MODES:
        raise ValueError(f"tls must be none, starttls or tls, not {tls!r}.")
    return tls
