"""Servers that misbehave in exactly one way each, a look-out for connections, and certificates."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from plugin_framework.sdk.net._guard import Resolver


class Talk:
    """One accepted connection, as the script of a receiver sees it."""

    def __init__(self, sock: socket.socket, stopping: threading.Event) -> None:
        self.sock = sock
        self.stopping = stopping
        self.received = b""

    def read_request(self) -> bytes:
        """Read one HTTP request, with its body."""
        while b"\r\n\r\n" not in self.received:
            self._more()
        head, _, body = self.received.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(body) < length:
            self._more()
            body = self.received.partition(b"\r\n\r\n")[2]
        return self.received

    def read_line(self) -> bytes:
        """Read one line, as SMTP sends them."""
        while b"\n" not in self.received:
            self._more()
        line, _, self.received = self.received.partition(b"\n")
        return line.rstrip(b"\r")

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes, *, forever: bytes = b"") -> None:
        """Send byte by byte, then the bytes of `forever` until the other side or the test has enough."""
        for byte in data:
            self._drop(bytes([byte]))
        while forever and not self.stopping.is_set():
            for byte in forever:
                self._drop(bytes([byte]))

    def pour(self, data: bytes) -> None:
        """Send `data` again and again until the other side hangs up."""
        while not self.stopping.is_set():
            self.sock.sendall(data)

    def hang(self) -> None:
        """Do nothing until the test is over."""
        self.stopping.wait()

    def reset(self) -> None:
        """End the connection with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _drop(self, byte: bytes) -> None:
        self.sock.sendall(byte)
        self.stopping.wait(0.02)  # the server's slowness, not a way to wait for anything

    def _more(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionAbortedError("the client hung up")
        self.received += data


type Script = Callable[[Talk], None]


class Receiver:
    """A server on loopback that runs `script` for every connection; `talks` are the connections it got."""

    def __init__(self, script: Script, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.talks: list[Talk] = []
        self.host = host
        self._script = script
        self._tls = tls
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}/hook/s3cret?token=s3cret"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):  # already gone
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for talk in self.talks:
            with contextlib.suppress(OSError):  # already gone
                talk.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=20)
            assert not thread.is_alive(), "a receiver's thread did not end"

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _address = self._listener.accept()
            except OSError:
                return
            talk = Talk(sock, self._stopping)
            self.talks.append(talk)
            self._start(self._serve, talk)

    def _serve(self, talk: Talk) -> None:
        try:
            if self._tls:
                talk.sock = self._tls.wrap_socket(talk.sock, server_side=True)
            self._script(talk)
        except OSError:
            pass  # the client hung up, which is what most of these scripts provoke
        finally:
            talk.sock.close()


def answer(data: bytes) -> Script:
    """A script that reads a request, answers with these bytes and closes."""

    def script(talk: Talk) -> None:
        talk.read_request()
        talk.send(data)

    return script


class Lookout:
    """Sees every connection this process tries to make, to whatever address, through Python's audit events."""

    def __init__(self) -> None:
        self.seen: list[Any] | None = None
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "socket.connect" and self.seen is not None:
            self.seen.append(args[1])

    @contextlib.contextmanager
    def watch(self) -> Iterator[list[Any]]:
        """The addresses tried meanwhile."""
        self.seen = seen = []
        try:
            yield seen
        finally:
            self.seen = None


LOOKOUT = Lookout()  # one for the process: an audit hook cannot be taken out again


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the tests, and what it has signed."""

    client: ssl.SSLContext  # trusts this authority
    server: ssl.SSLContext  # proves to be *.acme.test and 127.0.0.1
    expired: ssl.SSLContext
    certificate_file: Path


def make_authority(folder: Path) -> Authority:
    """Make an authority in `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tests")])
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    root = _certificate(name, name, key, key, 1, (x509.BasicConstraints(True, None), usage))
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=root.public_bytes(serialization.Encoding.PEM).decode())
    return Authority(
        client, _server(folder, "good", name, key, 1), _server(folder, "expired", name, key, -1), folder / "good.pem"
    )


def _server(
    folder: Path, title: str, issuer: x509.Name, authority: ec.EllipticCurvePrivateKey, days: int
) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName("*.acme.test"), x509.IPAddress(_ip("127.0.0.1"))])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    certificate = _certificate(name, issuer, key, authority, days, (names,))
    file = folder / f"{title}.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(certificate.public_bytes(pem) + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    authority: ec.EllipticCurvePrivateKey,
    days: int,
    extensions: tuple[x509.ExtensionType, ...],
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=9))
    builder = builder.not_valid_after(now + datetime.timedelta(days=days))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    around = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    return builder.add_extension(around, critical=False).sign(authority, hashes.SHA256())


def _ip(text: str) -> Any:
    import ipaddress

    return ipaddress.ip_address(text)


def names(**table: str | tuple[str, ...]) -> Resolver:
    """A resolver that knows `name_test="address"` as name.test, and nothing else; `names(a="127.0.0.1")` knows a.acme.test."""

    def resolver(host: str, port: int, **_options: Any) -> list[tuple[Any, ...]]:
        found = table.get(host.removesuffix(".acme.test"))
        if found is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return records((found,) if isinstance(found, str) else found, port)

    return resolver


def records(addresses: tuple[str, ...], port: int) -> list[tuple[Any, ...]]:
    """What `socket.getaddrinfo` returns for these addresses."""
    return [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
        if ":" in address
        else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
        for address in addresses
    ]
