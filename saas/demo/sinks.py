"""Real servers for the demo's outgoing traffic: SMTP with sign-in, and an endpoint that takes webhooks."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from saas.demo import inbox

log = logging.getLogger(__name__)
MAX_BODY = 1_000_000
type Stop = Callable[[], None]


def start_mail_sink(port: int, accounts: dict[str, str]) -> Stop:
    """An SMTP server on loopback whose accounts are the demo's organisations: who signed in tells whose mail it is.

    Args:
        accounts: password by user name; empty for a server that takes mail from anybody (the platform's own).
    """

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        user, password = data.login.decode(), data.password.decode()
        return AuthResult(success=accounts.get(user) == password, handled=False, auth_data=user)

    auth: dict[str, Any] = (
        {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False} if accounts else {}
    )
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd tells of every byte
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # signing in without TLS: this server listens on loopback only
        controller = Controller(_MailSink(), hostname="127.0.0.1", port=port, **auth)
        controller.start()
    return controller.stop


class _MailSink:
    """Keeps every mail it is given."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        mail = message_from_bytes(envelope.content, policy=policy.default)
        user = getattr(session, "auth_data", None)
        inbox.append(
            inbox.Message(
                tenant=user or inbox.PLATFORM,
                plugin="email_notifications" if user else "",
                kind="email",
                to=", ".join(envelope.rcpt_tos),
                subject=str(mail["Subject"] or ""),
                text=_body(mail, "plain"),
                html=_body(mail, "html"),
                headers={key: str(value) for key, value in mail.items()},
            )
        )
        return "250 Kept"


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()) if part is not None else ""


def start_webhook_sink(port: int) -> Stop:
    """An HTTP server on loopback that answers like Slack's incoming webhooks; the first part of the path is the organisation."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _WebhookSink)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True, name="webhook-sink").start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return stop


class _WebhookSink(BaseHTTPRequestHandler):
    """POST /<tenant>/… with JSON keeps it and answers "ok"."""

    def do_POST(self) -> None:  # the base class's name
        size = int(self.headers.get("Content-Length") or 0)
        if size > MAX_BODY:
            return self._answer(413, "too large")
        try:
            body = json.loads(self.rfile.read(size))
        except ValueError:
            return self._answer(400, "invalid_payload")
        tenant = self.path.strip("/").split("/")[0]
        text = str(body.get("text", "")) if isinstance(body, dict) else str(body)
        channel = str(body.get("channel", "")) if isinstance(body, dict) else ""
        inbox.append(
            inbox.Message(
                tenant=tenant,
                plugin="slack_notifications",
                kind="webhook",
                to=channel or self.path,
                subject=text[:100],
                text=text or json.dumps(body, indent=2),
                headers=dict(self.headers.items()),
            )
        )
        return self._answer(200, "ok")

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        log.debug(format, *args)
