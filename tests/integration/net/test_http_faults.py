"""The HTTP client against receivers that misbehave: each ends in an answer or in one plain error, by the deadline."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable

import pytest

from plugin_framework.sdk.net import (
    ConnectionBroken,
    HttpClient,
    HttpStatusError,
    InvalidAnswer,
    NetworkError,
    NetworkPolicy,
    NetworkTimeout,
    RedirectRefused,
)
from tests.integration.net.receivers import LOOKOUT, Receiver, Script, Talk, answer

Start = Callable[..., Receiver]
HEAD = b"HTTP/1.1 200 OK\r\n"


def after_request(act: Callable[[Talk], None]) -> Script:
    """A script that reads the request first."""

    def script(talk: Talk) -> None:
        talk.read_request()
        act(talk)

    return script


def failing(kind: type[NetworkError], policy: NetworkPolicy, server: Receiver) -> str:
    """The message of the error, which must be of this kind and hold nothing of the URL's path or of what led to it."""
    with pytest.raises(NetworkError) as failure:
        HttpClient(policy).post(server.url, json={"text": "s3cret"}, headers={"Authorization": "s3cret"})
    assert type(failure.value) is kind
    assert "s3cret" not in repr(failure.value)
    assert failure.value.__context__ is failure.value.__cause__ is None
    return str(failure.value)


FOREVER: dict[str, Script] = {
    "never answers": Talk.hang,
    "reads and never answers": after_request(Talk.hang),
    "drips its status line": after_request(lambda talk: talk.drip(b"HTTP/1.1 200 ", forever=b"x")),
    "drips headers": after_request(lambda talk: talk.drip(HEAD, forever=b"X: a\r\n")),
    "drips its body": after_request(lambda talk: talk.drip(HEAD + b"\r\n", forever=b"x")),
    "drips chunks": after_request(
        lambda talk: talk.drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", forever=b"1\r\nx\r\n")
    ),
    "stalls after 100 Continue": after_request(
        lambda talk: (talk.send(b"HTTP/1.1 100 Continue\r\n\r\n"), talk.hang())[1]
    ),
    "drips 100 Continue": after_request(lambda talk: talk.drip(b"", forever=b"HTTP/1.1 100 Continue\r\n\r\n")),
    "promises more than it sends": after_request(
        lambda talk: (talk.send(HEAD + b"Content-Length: 9\r\n\r\nx"), talk.hang())[1]
    ),
}


@pytest.mark.parametrize("script", FOREVER.values(), ids=FOREVER.keys())
def test_a_receiver_that_never_ends_meets_the_deadline(receiver: Start, hurried: NetworkPolicy, script: Script) -> None:
    assert failing(NetworkTimeout, hurried, receiver(script)) == "127.0.0.1 did not answer within 0.3 seconds"


def test_a_receiver_that_does_not_read_meets_the_deadline(receiver: Start, hurried: NetworkPolicy) -> None:
    with pytest.raises(NetworkTimeout):
        HttpClient(hurried).post(receiver(Talk.hang).url, body=os.urandom(1 << 26))


def test_a_callers_shorter_timeout_counts(receiver: Start, policy: NetworkPolicy) -> None:
    with pytest.raises(NetworkTimeout, match=r"within 0\.3 seconds"):
        HttpClient(policy).get(receiver(Talk.hang).url, timeout=0.3)


BROKEN: dict[str, Script] = {
    "closes without a word": after_request(lambda _talk: None),
    "resets without a word": after_request(Talk.reset),
    "closes in its headers": answer(HEAD + b"X: "),
    "closes in its body": answer(HEAD + b"Content-Length: 100\r\n\r\nx"),
    "closes in a chunk": answer(HEAD + b"Transfer-Encoding: chunked\r\n\r\n64\r\nx"),
    "closes between chunks": answer(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"),
    "closes in the last line": answer(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"),
    "sends a chunk of no size": answer(HEAD + b"Transfer-Encoding: chunked\r\n\r\ns3cret\r\n"),
    "resets in its body": after_request(
        lambda talk: (talk.send(HEAD + b"Content-Length: 100\r\n\r\nx"), talk.reset())[1]
    ),
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN.keys())
def test_a_receiver_that_breaks_off_is_an_error(receiver: Start, policy: NetworkPolicy, script: Script) -> None:
    assert failing(ConnectionBroken, policy, receiver(script)).startswith("127.0.0.1 ")


INVALID: dict[str, Script] = {
    "speaks another protocol": answer(b"SSH-2.0-OpenSSH_9.6 s3cret\r\n"),
    "has no status": answer(b"HTTP/1.1 s3cret\r\n\r\n"),
    "has an odd status": answer(b"HTTP/1.1 7 s3cret\r\n\r\n"),
    "speaks HTTP/2": answer(b"HTTP/2 200\r\n\r\n"),
    "switches protocols": answer(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    "sends many headers": answer(HEAD + b"X: s3cret\r\n" * 200 + b"\r\n"),
    "sends endless headers": after_request(
        lambda talk: (talk.send(HEAD), talk.pour(b"X: " + b"x" * 5000 + b"\r\n"))[1]
    ),
    "sends one endless header": after_request(lambda talk: (talk.send(HEAD + b"X: "), talk.pour(b"x" * 5000))[1]),
    "sends an endless status line": after_request(
        lambda talk: (talk.send(b"HTTP/1.1 200 "), talk.pour(b"x" * 5000))[1]
    ),
    "continues endlessly": after_request(lambda talk: talk.pour(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)),
    "hints endlessly": after_request(lambda talk: talk.pour(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)),
    "sends bytes of no meaning": answer(bytes(range(256)) * 10 + b"\r\n\r\n"),
}


@pytest.mark.parametrize("script", INVALID.values(), ids=INVALID.keys())
def test_a_receiver_that_does_not_speak_http_is_an_error(
    receiver: Start, policy: NetworkPolicy, script: Script
) -> None:
    with pytest.raises(InvalidAnswer) as failure:
        HttpClient(policy).post(receiver(script).url, json={})
    assert "s3cret" not in repr(failure.value)
    assert failure.value.__context__ is None


ENDLESS: dict[str, Script] = {
    "a plain body": after_request(lambda talk: (talk.send(HEAD + b"\r\n"), talk.pour(b"x" * 65536))[1]),
    "chunks": after_request(
        lambda talk: (
            talk.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
            talk.pour(b"1000\r\n" + b"x" * 4096 + b"\r\n"),
        )[1]
    ),
    "tiny chunks": after_request(
        lambda talk: (talk.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"), talk.pour(b"1\r\nx\r\n" * 1000))[1]
    ),
    "a promised body": after_request(
        lambda talk: (talk.send(HEAD + b"Content-Length: 99999999999\r\n\r\n"), talk.pour(b"x" * 65536))[1]
    ),
}


@pytest.mark.parametrize("script", ENDLESS.values(), ids=ENDLESS.keys())
def test_an_endless_answer_is_cut_and_says_so(receiver: Start, policy: NetworkPolicy, script: Script) -> None:
    response = HttpClient(policy).post(receiver(script).url, json={})
    assert (response.ok, response.truncated, set(response.body)) == (True, True, {ord("x")})
    assert len(response.body) <= policy.max_response_bytes
    with pytest.raises(InvalidAnswer, match="sent more than is accepted"):
        response.json()


@pytest.mark.parametrize(("extra", "truncated"), [(-1, False), (0, False), (1, True)])
def test_the_limit_is_exact(receiver: Start, extra: int, truncated: bool) -> None:
    policy = NetworkPolicy(allow_loopback=True, allow_http=True, max_response_bytes=1000)
    for framing in (b"", b"Content-Length: %d\r\n" % (1000 + extra)):
        response = HttpClient(policy).get(receiver(answer(HEAD + framing + b"\r\n" + b"x" * (1000 + extra))).url)
        assert (len(response.body), response.truncated) == (min(1000 + extra, 1000), truncated)


def test_a_gzip_bomb_stays_packed(receiver: Start, policy: NetworkPolicy) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    assert HttpClient(policy).get(receiver(answer(head + bomb)).url).body == bomb


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 399])
def test_a_redirect_is_an_error_and_nobody_goes_there(receiver: Start, policy: NetworkPolicy, status: int) -> None:
    canary = receiver(answer(HEAD + b"\r\n"))
    for place in (
        b"http://169.254.169.254/latest/meta-data/",
        canary.url.encode(),
        b"//[::1]/",
        b"/other",
        b"file:///etc",
    ):
        server = receiver(answer(b"HTTP/1.1 %d x\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, place)))
        with LOOKOUT.watch() as seen:
            words = failing(RedirectRefused, policy, server)
        assert seen == [("127.0.0.1", server.port)]
        assert words.startswith(f"127.0.0.1 answered {status}")
        assert "redirects are not followed" in words
    assert canary.talks == []


@pytest.mark.parametrize(
    ("line", "words", "retry_after", "permanent"),
    [
        (b"410 Gone", "127.0.0.1 answered 410 (Gone)", None, True),
        (b"429 x\r\nRetry-After: 120", "127.0.0.1 answered 429 (Too Many Requests)", 120.0, False),
        (
            b"503 x\r\nRetry-After: Fri, 01 Jan 2100 00:00:00 GMT",
            "127.0.0.1 answered 503 (Service Unavailable)",
            86400.0,
            False,
        ),
        (b"500 s3cret", "127.0.0.1 answered 500 (Internal Server Error)", None, False),
    ],
)
def test_an_error_status_is_an_answer_until_it_is_raised(
    receiver: Start, policy: NetworkPolicy, line: bytes, words: str, retry_after: float | None, permanent: bool
) -> None:
    response = HttpClient(policy).post(
        receiver(answer(b"HTTP/1.1 " + line + b"\r\nContent-Length: 6\r\n\r\ns3cret")).url, json={}
    )
    assert (response.ok, response.body) == (False, b"s3cret")
    with pytest.raises(HttpStatusError) as error:
        response.raise_for_status()
    assert (str(error.value), error.value.retry_after, error.value.permanent) == (words, retry_after, permanent)
    assert error.value.status == response.status
