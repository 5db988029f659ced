"""The SMTP client against mail servers that misbehave: each ends in one plain error, by the deadline."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest

from plugin_framework.sdk.net import (
    ConnectionBroken,
    DestinationUnreachable,
    InvalidAnswer,
    NetworkError,
    NetworkPolicy,
    NetworkTimeout,
    SmtpClient,
    SmtpError,
)
from tests.integration.net.receivers import Authority, Receiver, Script, Talk

Start = Callable[..., Receiver]
SECRET = "hunter2"


def server(
    *, on: dict[bytes, bytes | Callable[[Talk], None]] | None = None, features: str = "AUTH PLAIN LOGIN"
) -> Script:
    """A mail server that says yes to everything but what `on` (by the first word of a command, or b"220") says."""
    table = {b"DATA": b"354 go on", b"QUIT": b"221 bye", b"AUTH": b"235 in", b"220": b"220 ready", **(on or {})}
    table.setdefault(
        b"EHLO",
        "\r\n".join(["250-here", *(f"250-{each}" for each in features.split(",") if each), "250 HELP"]).encode(),
    )

    def reply(talk: Talk, word: bytes) -> None:
        says = table.get(word.upper(), b"250 fine")
        talk.send(says + b"\r\n") if isinstance(says, bytes) else says(talk)

    def script(talk: Talk) -> None:
        talk.lines = []  # type: ignore[attr-defined] # for the tests to look at
        reply(talk, b"220")
        while line := talk.read_line():
            talk.lines.append(line)  # type: ignore[attr-defined] # as above
            reply(talk, line.split()[0])
            if line == b"DATA" and table[b"DATA"] == b"354 go on":
                while talk.read_line() != b".":
                    pass
                reply(talk, b"END")

    return script


def send(policy: NetworkPolicy, port: int, **more: Any) -> Any:
    message = EmailMessage()
    message["Subject"] = "Hi"
    message.set_content("Hello")
    options = {"tls": "none", "username": "acme", "password": SECRET, **more}
    client = options.pop("client", None) or SmtpClient(policy)
    return client.send(
        message, host="127.0.0.1", port=port, sender="a@acme.test", recipients=["b@acme.test"], **options
    )


STEPS = [b"220", b"EHLO", b"AUTH", b"MAIL", b"RCPT", b"DATA", b"END"]


def drip(talk: Talk) -> None:
    talk.drip(b"", forever=b"250-a\r\n")


def drip_one_line(talk: Talk) -> None:
    talk.drip(b"250 ", forever=b"x")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", [Talk.hang, drip, drip_one_line])
def test_a_slow_server_meets_the_deadline_in_every_step(
    receiver: Start, hurried: NetworkPolicy, step: bytes, fault: Callable[[Talk], None]
) -> None:
    with pytest.raises(NetworkTimeout) as failure:
        send(hurried, receiver(server(on={step: fault})).port)
    assert str(failure.value) == "127.0.0.1 did not answer within 0.3 seconds"
    assert failure.value.__context__ is None


@pytest.mark.parametrize("step", STEPS)
def test_a_server_that_hangs_up_is_an_error_in_every_step(receiver: Start, policy: NetworkPolicy, step: bytes) -> None:
    for fault in (Talk.reset, lambda talk: talk.sock.close()):
        # a reset right after the connection may be seen while connecting
        kinds = (ConnectionBroken, DestinationUnreachable) if step == b"220" else ConnectionBroken
        with pytest.raises(kinds, match=r"127\.0\.0\.1 "):
            send(policy, receiver(server(on={step: fault})).port)


@pytest.mark.parametrize("step", STEPS)
def test_a_server_that_talks_too_much_is_cut_off_in_every_step(
    receiver: Start, policy: NetworkPolicy, step: bytes
) -> None:
    for data in (b"250-a\r\n" * 100, b"2" * 4096):
        with pytest.raises(InvalidAnswer):
            send(policy, receiver(server(on={step: lambda talk, data=data: talk.pour(data)})).port)


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 s3cret", b"SSH-2.0-x", b"\x00\xff", b"", b"99 x", b"220x", b"-1 x"])
def test_what_is_no_mail_server_is_said_plainly(receiver: Start, policy: NetworkPolicy, words: bytes) -> None:
    with pytest.raises(InvalidAnswer) as failure:
        send(policy, receiver(server(on={b"220": words})).port)
    assert str(failure.value) == "127.0.0.1 did not answer like a mail server"


@pytest.mark.parametrize("code", [b"421", b"451", b"550"])
@pytest.mark.parametrize("step", STEPS)
def test_a_refusal_in_every_step_is_an_error(receiver: Start, policy: NetworkPolicy, step: bytes, code: bytes) -> None:
    on: dict[bytes, bytes | Callable[[Talk], None]] = {step: code + b" not now"}
    if step == b"EHLO":
        on[b"HELO"] = code + b" not now"
    with pytest.raises(SmtpError) as failure:
        send(policy, receiver(server(on=on)).port)
    assert failure.value.status == int(code)
    assert failure.value.permanent == (code == b"550" and step != b"AUTH")


def test_a_server_that_repeats_the_password_does_not_get_it_into_our_words(
    receiver: Start, policy: NetworkPolicy
) -> None:
    packed = base64.b64encode(f"\0acme\0{SECRET}".encode())
    echo = b"550 " + packed + b" \x1b[31m\xff is " + SECRET.encode()
    for step in (b"AUTH", b"MAIL", b"RCPT", b"DATA", b"END"):
        with pytest.raises(SmtpError) as failure:
            send(policy, receiver(server(on={step: echo})).port)
        assert SECRET not in str(failure.value)
        assert packed.decode() not in str(failure.value)
        assert str(failure.value).isprintable()
    with pytest.raises(SmtpError) as long:
        send(policy, receiver(server(on={b"MAIL": b"550 " + b"x" * 1900})).port)
    assert len(str(long.value)) < 300


def test_only_one_mechanism_is_tried(receiver: Start, policy: NetworkPolicy) -> None:
    talks = receiver(server(on={b"AUTH": b"535 no"}, features="AUTH LOGIN PLAIN CRAM-MD5"))
    with pytest.raises(SmtpError):
        send(policy, talks.port)
    assert [line.split()[:2] for line in talks.talks[0].lines if line.startswith(b"AUTH")] == [[b"AUTH", b"PLAIN"]]  # type: ignore[attr-defined]  # the dummy server's own


def test_a_challenge_is_answered_with_a_digest(receiver: Start, policy: NetworkPolicy) -> None:
    challenge = b"<1@here>"
    answers = []

    def auth(talk: Talk) -> None:
        talk.send(b"334 " + base64.b64encode(challenge) + b"\r\n")
        answers.append(base64.b64decode(talk.read_line()))
        talk.send(b"235 in\r\n")

    send(policy, receiver(server(on={b"AUTH": auth}, features="AUTH CRAM-MD5")).port)
    assert answers == [b"acme " + hmac.new(SECRET.encode(), challenge, "md5").hexdigest().encode()]


def test_an_old_server_is_greeted_the_old_way(receiver: Start, policy: NetworkPolicy) -> None:
    talks = receiver(server(on={b"EHLO": b"502 what"}))
    assert send(policy, talks.port, username="", password="").reply == "fine"
    assert [line.split()[0].upper() for line in talks.talks[0].lines] == [
        b"EHLO",
        b"HELO",
        b"MAIL",
        b"RCPT",
        b"DATA",
        b"QUIT",
    ]  # type: ignore[attr-defined]  # the dummy server's own


@pytest.mark.parametrize("fault", [Talk.hang, Talk.reset, drip, b"500 no", b"nonsense"])
def test_a_message_that_was_taken_stays_taken_whatever_the_goodbye(receiver: Start, fault: Any) -> None:
    policy = NetworkPolicy(allow_loopback=True, total_timeout=2.0)
    assert send(policy, receiver(server(on={b"QUIT": fault})).port).reply == "fine"


def test_what_was_said_before_starttls_does_not_count(
    receiver: Start, policy: NetworkPolicy, authority: Authority
) -> None:
    """A server in the middle adds replies in the clear behind the 220; they must not be read after the handshake."""
    seen = []

    def script(talk: Talk) -> None:
        talk.send(b"220 ready\r\n")
        talk.read_line()
        talk.send(b"250-here\r\n250 STARTTLS\r\n")
        talk.read_line()
        talk.send(b"220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n")
        talk.received = b""
        talk.sock = authority.server.wrap_socket(talk.sock, server_side=True)
        talk.read_line()
        talk.send(b"250 here\r\n")  # no login offered
        seen.append(talk.read_line())

    client = SmtpClient(policy, tls_context=authority.client)
    with pytest.raises(SmtpError, match="offers no sign-in here"):
        client.check(host="127.0.0.1", port=receiver(script).port, tls="starttls", username="acme", password=SECRET)
    assert not any(line.startswith(b"AUTH") for line in seen)


def test_a_starttls_that_is_taken_back_sends_nothing_in_the_clear(receiver: Start, policy: NetworkPolicy) -> None:
    for on in ({b"STARTTLS": b"454 not now"}, {b"STARTTLS": b"220 go"}):
        talks = receiver(server(on=on, features="STARTTLS,AUTH PLAIN"))  # type: ignore[arg-type] # a dict of bytes
        with pytest.raises(NetworkError):
            send(NetworkPolicy(allow_loopback=True, total_timeout=0.5), talks.port, tls="starttls")
        assert b"AUTH" not in b"".join(talks.talks[0].lines)  # type: ignore[attr-defined]  # the dummy server's own
