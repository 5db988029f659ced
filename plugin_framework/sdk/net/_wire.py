"""A connection that is over by its deadline and reads no more than it was granted, with or without TLS."""

from __future__ import annotations

import functools
import io
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from plugin_framework.sdk._words import Phrase
from plugin_framework.sdk.net._errors import (
    ConnectionBroken,
    DestinationUnreachable,
    InvalidAnswer,
    NetworkError,
    NetworkTimeout,
    TlsError,
)
from plugin_framework.sdk.net._guard import Destination
from plugin_framework.sdk.net._policy import Deadline, NetworkPolicy, late

if TYPE_CHECKING:
    from collections.abc import Buffer

_MOST_ATTEMPTS = 4  # a name may have a hundred addresses; the deadline is one
_PIECE = 65536
_TOO_MUCH = Phrase("%(host)s sent more than is accepted.")
_LATE = Phrase("%(host)s did not answer within %(number)s seconds")
_LATE_ONE = Phrase("%(host)s did not answer within 1 second")
CUT_OFF = Phrase("%(host)s closed the connection before its answer was complete")
_NO_ADDRESS = Phrase("There is no address to connect to. Check the host.")
_NOT_IN_TIME = Phrase("could not connect to %(host)s port %(port)s in time")
_NOT_WITHIN = Phrase("could not connect to %(host)s port %(port)s within %(number)s seconds")
_NOT_WITHIN_ONE = Phrase("could not connect to %(host)s port %(port)s within 1 second")
_NOT_CONNECTED = Phrase("could not connect to %(host)s port %(port)s: %(why)s")
_CERTIFICATE = Phrase("The certificate of %(host)s port %(port)s is not accepted: %(why)s")
_TOO_EARLY = Phrase("%(host)s closed the connection too early")
_NO_TLS = Phrase("%(host)s port %(port)s does not speak TLS as expected (%(why)s)")
_BROKEN = Phrase("%(host)s broke the connection: %(why)s")
_UNKNOWN = Phrase("unknown reason")
_REASONS = (  # the words of the operating system and of OpenSSL, which `_reason` and `_plain` pass on
    Phrase("connection refused"),
    Phrase("connection reset by peer"),
    Phrase("connection timed out"),
    Phrase("software caused connection abort"),
    Phrase("broken pipe"),
    Phrase("network is unreachable"),
    Phrase("network is down"),
    Phrase("no route to host"),
    Phrase("cannot assign requested address"),
    Phrase("operation not permitted"),
    Phrase("permission denied"),
    Phrase("too many open files"),
    Phrase("self-signed certificate"),
    Phrase("self-signed certificate in certificate chain"),
    Phrase("unable to get local issuer certificate"),
    Phrase("unable to get issuer certificate"),
    Phrase("unable to verify the first certificate"),
    Phrase("certificate has expired"),
    Phrase("certificate is not yet valid"),
    Phrase("certificate revoked"),
    Phrase("unsuitable certificate purpose"),
    Phrase("IP address mismatch, certificate is not valid for '%(host)s'."),
    Phrase("Hostname mismatch, certificate is not valid for '%(host)s'."),
)


class TooMuchData(InvalidAnswer):
    """More bytes came than were granted."""


class Wire:
    """A socket whose every operation, TLS included, shares one deadline, and whose reads share one allowance of bytes.

    A timeout per operation is not enough: a server that sends one byte a second never runs into it.
    """

    def __init__(self, sock: socket.socket, destination: Destination, *, deadline: Deadline, allowance: int) -> None:
        self.destination = destination
        self._sock = sock
        self._deadline = deadline
        self._allowance = allowance

    def grant(self, allowance: int) -> None:
        """Let this many more bytes be read, in place of what was left."""
        self._allowance = allowance

    def sendall(self, data: Buffer) -> None:
        """Write everything by the deadline."""
        view = memoryview(data).cast("B")
        while view:
            with self._in_time():
                view = view[self._sock.send(view[:_PIECE]) :]

    def receive_into(self, buffer: memoryview) -> int:
        """Read what has come, 0 at the end of the stream."""
        if self._allowance <= 0:
            raise TooMuchData(_TOO_MUCH(host=self.destination.host).english)
        with self._in_time():
            count = self._sock.recv_into(buffer[: self._allowance])
        self._allowance -= count
        return count

    def makefile(self, mode: str = "rb") -> io.BufferedReader:
        """A buffered reader over this wire, as http.client and smtplib ask their socket for one."""
        return _Lines(_Reader(self), self.destination.host)

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Encrypt from here on; the certificate must prove the name that was asked for, not the address."""
        with self._in_time():
            self._sock = context.wrap_socket(self._sock, server_hostname=self.destination.host)

    def close(self) -> None:
        """Close without ceremony: a TLS goodbye would wait for the other side."""
        with suppress(OSError):  # a connection that is already gone is as closed as can be
            self._sock.close()

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        left = self._deadline.remaining()
        if left <= 0:
            raise self._too_late()
        try:
            self._sock.settimeout(left)
            yield
        except TimeoutError:
            raise self._too_late() from None
        except OSError as exc:
            raise _plain(exc, self.destination) from None

    def _too_late(self) -> NetworkTimeout:
        return NetworkTimeout(late(_LATE, _LATE_ONE, self._deadline.seconds, host=self.destination.host))


class _Lines(io.BufferedReader):
    """A buffered reader whose lines are whole. http.client takes the end of the stream for the end of the headers."""

    def __init__(self, raw: io.RawIOBase, host: str) -> None:
        super().__init__(raw)
        self._host = host

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if line.endswith(b"\n") or (size is not None and 0 <= size <= len(line)):
            return line
        raise ConnectionBroken(CUT_OFF(host=self._host).english)


class _Reader(io.RawIOBase):
    """The raw side of a buffered reader over a wire. Closing it leaves the wire open: who opened the wire closes it."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        return self._wire.receive_into(memoryview(buffer))


def connect(destinations: Sequence[Destination], *, policy: NetworkPolicy, deadline: Deadline, allowance: int) -> Wire:
    """Connect to the first of the checked addresses that accepts.

    Raises:
        DestinationUnreachable: none accepts; the reason is the last one's.
        NetworkTimeout: the deadline passed, or the last one did not accept within the policy's connect timeout.
    """
    failure: NetworkError | None = None
    for destination in destinations[:_MOST_ATTEMPTS]:
        try:
            sock = _open(destination, min(policy.connect_timeout, deadline.remaining()))
        except NetworkError as exc:
            failure = exc.detached()
        else:
            return Wire(sock, destination, deadline=deadline, allowance=allowance)
    raise failure or DestinationUnreachable(_NO_ADDRESS.text)


def _open(destination: Destination, timeout: float) -> socket.socket:
    where = {"host": destination.host, "port": destination.port}
    if timeout <= 0:
        raise NetworkTimeout(_NOT_IN_TIME(**where).english)
    sock = socket.socket(destination.family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        sock.connect((destination.address, destination.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except TimeoutError:
        sock.close()
        raise NetworkTimeout(late(_NOT_WITHIN, _NOT_WITHIN_ONE, round(timeout, 1), **where)) from None
    except OSError as exc:
        sock.close()
        raise DestinationUnreachable(_NOT_CONNECTED(**where, why=_reason(exc)).english) from None
    except BaseException:
        sock.close()
        raise
    return sock


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Our TLS settings: certificate and name are checked, TLS 1.2 or newer.

    Not `ssl.create_default_context`, which would write session keys to the file that SSLKEYLOGFILE names.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs()
    return context


def checked(context: ssl.SSLContext | None) -> ssl.SSLContext:
    """`context`, or our own one; a context that would not check the other side is a mistake in the program.

    Raises:
        ValueError: the context checks neither certificate nor name.
    """
    if context is not None and not (context.check_hostname and context.verify_mode is ssl.CERT_REQUIRED):
        raise ValueError("The TLS context must check the certificate and the host name.")
    return context or tls_context()


def _plain(exc: OSError, destination: Destination) -> NetworkError:
    host, port = destination.host, destination.port
    if isinstance(exc, ssl.SSLCertVerificationError):
        return TlsError(_CERTIFICATE(host=host, port=port, why=exc.verify_message).english)
    if isinstance(exc, ssl.SSLEOFError):
        return ConnectionBroken(_TOO_EARLY(host=host).english)
    if isinstance(exc, ssl.SSLError):
        return TlsError(_NO_TLS(host=host, port=port, why=exc.reason or _UNKNOWN.text).english)
    return ConnectionBroken(_BROKEN(host=host, why=_reason(exc)).english)


def _reason(exc: OSError) -> str:
    return (exc.strerror or type(exc).__name__).lower()
