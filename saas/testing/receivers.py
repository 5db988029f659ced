"""Real receivers on loopback for what plugins send: a mail server with sign-in, and an HTTP server with scripted answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

USER, PASSWORD = "acme", "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it arrived."""

    sender: str
    recipients: list[str]
    raw: bytes
    message: EmailMessage

    def part(self, kind: str) -> str:
        """The body of this kind, `plain` or `html`."""
        body = self.message.get_body((kind,))
        assert body is not None, f"the mail has no {kind} part"
        return str(body.get_content())


@dataclass(eq=False)
class MailServer:
    """A mail server that takes mail from `USER` alone.

    Attributes:
        interrupt: called once, with the next mail in hand and before it is answered; the sender gets no good answer.
        password: what `USER` signs in with.
        refusal: said to every mail and to every question instead of a good answer, when it is not empty.
    """

    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    interrupt: Callable[[], None] | None = None
    password: str = PASSWORD
    refusal: str = ""

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        """Asks for the sign-in here: aiosmtpd's own option warns, and a warning is an error in the tests."""
        if not session.authenticated:
            return "530 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append(Mail(envelope.mail_from, envelope.rcpt_tos, envelope.content, message))
        if self.interrupt is not None:
            interrupt, self.interrupt = self.interrupt, None
            interrupt()
            return "451 Interrupted"
        return self.refusal or "250 Kept"

    async def handle_NOOP(self, server: Any, session: Any, envelope: Any, arg: str) -> str:
        return self.refusal or "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        """Whether it is `USER` with the password."""
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            self.password.encode(),
        )
        return AuthResult(success=known, handled=False, auth_data=USER)

    @property
    def host(self) -> str:
        """Where it listens; `port` says at which port."""
        return "127.0.0.1"

    @property
    def user(self) -> str:
        """Who it knows."""
        return USER

    @property
    def settings(self) -> dict[str, Any]:
        """What the e-mail plugin needs to reach it; the password apart."""
        return {"smtp_host": self.host, "smtp_port": self.port, "tls": "none", "username": USER}


class _OnAFreePort(Controller):
    """aiosmtpd's controller, asked for port 0, would look for itself at port 0."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd has types in some places only


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A mail server that listens on loopback."""
    found = MailServer()
    controller = _OnAFreePort(
        found, hostname="127.0.0.1", port=0, authenticator=found.authenticate, auth_require_tls=False
    )
    controller.start()
    found.port = controller.port
    try:
        yield found
    finally:
        controller.stop()


@dataclass(frozen=True, slots=True)
class Post:
    """One request as it arrived; `body` is what the JSON says, or the text if it is none, and `raw` the bytes."""

    path: str
    headers: dict[str, str]
    body: Any
    raw: bytes = b""


@dataclass(eq=False)
class WebhookServer:
    """An HTTP server that answers "ok" unless told otherwise.

    Attributes:
        status, headers, answer: of the next answers; the last is the body.
        path: where it listens.
        interrupt: called once, with the next request in hand; the sender gets no answer.
    """

    port: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b"ok"
    path: str = "/services/T0/B0/s3cr3t"
    posts: list[Post] = field(default_factory=list)
    interrupt: Callable[[], None] | None = None

    @property
    def url(self) -> str:
        """Shaped as Slack's; its path is a secret."""
        return f"http://127.0.0.1:{self.port}{self.path}"


def _read(body: bytes) -> Any:
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


@contextmanager
def webhook_server() -> Iterator[WebhookServer]:
    """An HTTP server that listens on loopback."""
    found = WebhookServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.posts.append(Post(self.path, headers, _read(body), body))
            if found.interrupt is not None:
                interrupt, found.interrupt = found.interrupt, None
                interrupt()
                self.close_connection = True
                return
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(found.answer)))
            self.end_headers()
            self.wfile.write(found.answer)

        def log_message(self, *args: Any) -> None:
            """The tests' output has no room for an access log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
