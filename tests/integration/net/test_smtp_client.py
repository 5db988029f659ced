"""The SMTP client against real mail servers (aiosmtpd): delivery, encryption, login and refusals."""

from __future__ import annotations

import contextlib
import socket
import ssl
import traceback
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email import policy as email_policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from plugin_framework.sdk.net import (
    DestinationRefused,
    DestinationUnreachable,
    InvalidRequest,
    NetworkPolicy,
    SmtpClient,
    SmtpError,
    TlsError,
)
from tests.integration.net.receivers import LOOKOUT, Authority, names

SECRET = "pa55 wört"


class Inbox:
    """aiosmtpd's handler: keeps what arrives, refuses some recipients."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("later"):
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        if b"Subject: spam" in envelope.content:
            return "554 5.7.1 looks like spam"
        self.mails.append((session, envelope))
        return "250 kept as 42"


class AnyPort(Controller):
    """aiosmtpd's controller on a port that the system chooses."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Mailserver:
    """A running aiosmtpd with its inbox."""

    def __init__(self, *, implicit: ssl.SSLContext | None = None, **options: Any) -> None:
        self.inbox = Inbox()
        self.controller = AnyPort(self.inbox, hostname="127.0.0.1", port=0, ssl_context=implicit, **options)
        self.controller.start()
        self.port: int = self.controller.port


def _login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=data.login == b"acme" and data.password == SECRET.encode(), handled=False)


@pytest.fixture
def mailserver() -> Iterator[Callable[..., Mailserver]]:
    """`mailserver(...)`: a mail server with aiosmtpd's options, gone after the test."""
    with contextlib.ExitStack() as stack:

        def start(**options: Any) -> Mailserver:
            server = Mailserver(**options)
            stack.callback(server.controller.stop)
            return server

        yield start


def mail(subject: str = "Grüße") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Acme <shop@acme.test>", "b@acme.test", subject
    message.set_content("Hallo Jürgen\n.\nend\n")
    message.add_alternative("<p>Hallo Jürgen</p>", subtype="html")
    return message


def send(
    client: SmtpClient,
    port: int,
    *,
    recipients: tuple[str, ...] = ("b@acme.test",),
    subject: str = "Grüße",
    **more: Any,
) -> Any:
    options = {"host": "127.0.0.1", "tls": "none", "sender": "shop@acme.test", **more}
    return client.send(mail(subject), port=port, recipients=recipients, **options)


def arrived(server: Mailserver) -> tuple[Any, EmailMessage]:
    ((_session, envelope),) = server.inbox.mails
    return envelope, message_from_bytes(envelope.content, policy=email_policy.default)  # type: ignore[return-value] # default's class


def test_a_mail_arrives_as_it_was_written(mailserver: Callable[..., Mailserver], policy: NetworkPolicy) -> None:
    server = mailserver()
    receipt = send(SmtpClient(policy), server.port, recipients=("b@acme.test", "c@acme.test"))
    envelope, message = arrived(server)
    assert (receipt.reply, receipt.elapsed_ms >= 0) == ("kept as 42", True)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("shop@acme.test", ["b@acme.test", "c@acme.test"])
    assert message["Subject"] == "Grüße"
    assert message.get_body(("plain",)).get_content().splitlines() == ["Hallo Jürgen", ".", "end"]  # type: ignore[union-attr]  # it is there
    assert message.get_body(("html",)).get_content().strip() == "<p>Hallo Jürgen</p>"  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize("mode", ["starttls", "tls"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_login_over_tls_is_accepted(
    mailserver: Callable[..., Mailserver], policy: NetworkPolicy, authority: Authority, mode: str, mechanism: str
) -> None:
    contexts = (
        {"implicit": authority.server} if mode == "tls" else {"tls_context": authority.server, "require_starttls": True}
    )
    others = {"PLAIN", "LOGIN"} - {mechanism}
    server = mailserver(
        **contexts,
        authenticator=_login,
        auth_require_tls=mode == "starttls",
        auth_exclude_mechanism=others,
    )
    client = SmtpClient(policy, resolver=names(smtp="127.0.0.1"), tls_context=authority.client)
    login = {"host": "smtp.acme.test", "tls": mode, "username": "acme", "password": SECRET}
    client.check(port=server.port, **login)  # type: ignore[arg-type] # one of the three modes
    send(client, server.port, **login)
    ((session, _envelope),) = server.inbox.mails
    assert session.authenticated
    assert session.ssl is not None or mode == "tls"


def test_a_login_in_the_clear_is_made_on_this_machine_only(
    mailserver: Callable[..., Mailserver], policy: NetworkPolicy
) -> None:
    server = mailserver(authenticator=_login, auth_require_tls=False)
    send(SmtpClient(policy), server.port, username="acme", password=SECRET)
    ((session, _envelope),) = server.inbox.mails
    assert session.authenticated
    for public in (policy, NetworkPolicy()):
        client = SmtpClient(public, resolver=names(smtp="8.8.8.8", both=("127.0.0.1", "8.8.8.8")))
        for host in ("smtp.acme.test", "both.acme.test") if public is policy else ("smtp.acme.test",):
            with (
                LOOKOUT.watch() as seen,
                pytest.raises(SmtpError, match=r"is not sent to .* without encryption") as refusal,
            ):
                client.check(host=host, port=25, tls="none", username="acme", password=SECRET)
            assert (refusal.value.permanent, seen) == (True, [])


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_wrong_password_is_said_plainly_and_shown_nowhere(
    mailserver: Callable[..., Mailserver], policy: NetworkPolicy, caplog: pytest.LogCaptureFixture, mechanism: str
) -> None:
    server = mailserver(
        authenticator=_login,
        auth_require_tls=False,
        auth_exclude_mechanism={"PLAIN", "LOGIN"} - {mechanism},
    )
    caplog.set_level(0, logger="plugin_framework")
    for call in (SmtpClient(policy).check, lambda **options: send(SmtpClient(policy), **options)):
        with pytest.raises(SmtpError) as refusal:
            call(host="127.0.0.1", port=server.port, tls="none", username="acme", password="".join(["hunter", "two"]))
        error = refusal.value
        assert (str(error), error.status, error.permanent) == (
            "127.0.0.1 refused the user name or password (535)",
            535,
            False,
        )
        assert error.__context__ is error.__cause__ is None
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        inside = [
            frame for frame in shown.stack if frame.filename != __file__
        ]  # our own frames had to know the password
        assert inside
        assert "huntertwo" not in repr([frame.locals for frame in inside]) + repr(error) + repr(vars(error))
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("plugin_framework")]
    assert "huntertwo" not in repr(ours)
    assert server.inbox.mails == []


def test_a_server_without_starttls_gets_nothing(mailserver: Callable[..., Mailserver], policy: NetworkPolicy) -> None:
    server = mailserver()
    with pytest.raises(SmtpError, match=r"^127\.0\.0\.1 does not offer STARTTLS\."):
        send(SmtpClient(policy), server.port, tls="starttls", username="acme", password=SECRET)
    assert server.inbox.mails == []


def test_a_server_without_a_login_is_said_plainly(mailserver: Callable[..., Mailserver], policy: NetworkPolicy) -> None:
    with pytest.raises(SmtpError, match="offers no sign-in here"):
        SmtpClient(policy).check(host="127.0.0.1", port=mailserver().port, tls="none", username="acme", password=SECRET)


@pytest.mark.parametrize("mode", ["starttls", "tls"])
@pytest.mark.parametrize("kind", ["wrong name", "expired", "unknown authority"])
def test_a_certificate_that_proves_nothing_is_refused(
    mailserver: Callable[..., Mailserver], policy: NetworkPolicy, authority: Authority, mode: str, kind: str
) -> None:
    context = authority.expired if kind == "expired" else authority.server
    server = mailserver(**{"implicit" if mode == "tls" else "tls_context": context})
    client = SmtpClient(
        policy,
        resolver=lambda _host, port, **_options: names(x="127.0.0.1")("x.acme.test", port),
        tls_context=None if kind == "unknown authority" else authority.client,
    )
    host = "smtp.globex.test" if kind == "wrong name" else "smtp.acme.test"
    with pytest.raises(TlsError, match=rf"^The certificate of {host} port \d+ is not accepted: "):
        send(client, server.port, host=host, tls=mode, username="acme", password=SECRET)
    assert server.inbox.mails == []


def test_tls_against_a_plain_server_is_said_plainly(
    mailserver: Callable[..., Mailserver], policy: NetworkPolicy
) -> None:
    with pytest.raises(TlsError, match="does not speak TLS as expected"):
        SmtpClient(policy).check(host="127.0.0.1", port=mailserver().port, tls="tls")


def test_nothing_listening_is_said_plainly(policy: NetworkPolicy) -> None:
    with socket.socket() as bound:  # bound, so that nobody else gets the port, but not listening
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with pytest.raises(DestinationUnreachable) as failure:
            SmtpClient(policy).check(host="127.0.0.1", port=port, tls="none")
    assert str(failure.value) == f"could not connect to 127.0.0.1 port {port}: connection refused"


@pytest.mark.parametrize(
    ("recipients", "words", "permanent"),
    [
        (("nobody@acme.test",), "127.0.0.1 refused the recipient nobody@acme.test: 550 5.1.1 no such mailbox", True),
        (("later@acme.test",), "127.0.0.1 refused the recipient later@acme.test: 451 4.7.1 come back later", False),
        (
            ("b@acme.test", "nobody@acme.test"),
            "127.0.0.1 refused the recipient nobody@acme.test: 550 5.1.1 no such mailbox",
            True,
        ),
    ],
)
def test_a_refused_recipient_means_nothing_is_sent(
    mailserver: Callable[..., Mailserver],
    policy: NetworkPolicy,
    recipients: tuple[str, ...],
    words: str,
    permanent: bool,
) -> None:
    server = mailserver()
    with pytest.raises(SmtpError) as refusal:
        send(SmtpClient(policy), server.port, recipients=recipients)
    assert (str(refusal.value), refusal.value.permanent) == (words, permanent)
    assert server.inbox.mails == []


def test_a_refused_message_is_said_plainly(mailserver: Callable[..., Mailserver], policy: NetworkPolicy) -> None:
    with pytest.raises(SmtpError, match=r"^127\.0\.0\.1 refused the message: 554 5\.7\.1 looks like spam$") as refusal:
        send(SmtpClient(policy), mailserver().port, subject="spam")
    assert refusal.value.permanent


def test_letters_beyond_ascii_in_an_address_need_a_server_that_takes_them(
    mailserver: Callable[..., Mailserver], policy: NetworkPolicy
) -> None:
    able, unable = mailserver(enable_SMTPUTF8=True), mailserver(enable_SMTPUTF8=False)
    send(SmtpClient(policy), able.port, recipients=("jürgen@acme.test",))
    assert arrived(able)[0].rcpt_tos == ["jürgen@acme.test"]
    with pytest.raises(SmtpError, match="does not take addresses with letters beyond ASCII") as refusal:
        send(SmtpClient(policy), unable.port, recipients=("jürgen@acme.test",))
    assert refusal.value.permanent
    assert unable.inbox.mails == []


@pytest.mark.parametrize("bad", ["b@acme.test\r\nRCPT TO:<c@evil.test>", "b@acme.test>\r\nDATA", "b@acme.test\n"])
def test_an_injected_command_reaches_nobody(
    mailserver: Callable[..., Mailserver], policy: NetworkPolicy, bad: str
) -> None:
    server = mailserver()
    for options in (
        {"recipients": (bad,)},
        {"sender": bad},
        {"username": bad, "password": "x"},
        {"username": "x", "password": bad},
    ):
        with LOOKOUT.watch() as seen, pytest.raises(InvalidRequest):
            send(SmtpClient(policy), server.port, **options)  # type: ignore[arg-type] # one of several keywords
        assert seen == []


@pytest.mark.parametrize(("username", "password"), [("acme", ""), ("", SECRET)])
def test_half_a_login_is_refused(policy: NetworkPolicy, username: str, password: str) -> None:
    with pytest.raises(InvalidRequest, match="needs both a user name and a password"):
        SmtpClient(policy).check(host="127.0.0.1", port=25, tls="tls", username=username, password=password)


def test_other_ports_are_for_loopback_only(mailserver: Callable[..., Mailserver], policy: NetworkPolicy) -> None:
    client = SmtpClient(policy, resolver=names(smtp="8.8.8.8"))
    with (
        LOOKOUT.watch() as seen,
        pytest.raises(DestinationRefused, match=r"Use one of these ports: 25, 465, 587, 2525\."),
    ):
        client.check(host="smtp.acme.test", port=8025, tls="none")
    assert seen == []
    assert SmtpClient(policy).check(host="127.0.0.1", port=mailserver().port, tls="none").reply == "OK"
    with pytest.raises(DestinationRefused, match="this machine itself"):
        SmtpClient().check(host="127.0.0.1", port=25, tls="none")


def test_an_unknown_mode_is_a_mistake_of_the_caller(policy: NetworkPolicy) -> None:
    with pytest.raises(ValueError, match="tls must be none, starttls or tls"):
        SmtpClient(policy).check(host="127.0.0.1", port=25, tls="ssl")  # type: ignore[arg-type] # that is what is tested
