"""What is written into a request, and what is made of an answer."""

from __future__ import annotations

import math
import pickle
import ssl
from datetime import UTC, datetime
from typing import Any

import pytest

from plugin_framework.sdk.net import (
    PUBLIC_ONLY,
    HttpClient,
    HttpResponse,
    HttpStatusError,
    InvalidAnswer,
    InvalidRequest,
    RedirectRefused,
    SmtpClient,
)
from plugin_framework.sdk.net._http_request import write_request
from plugin_framework.sdk.net._http_response import Headers, parse_retry_after
from plugin_framework.sdk.net._url import parse_url

TARGET = parse_url("https://a.example/x", policy=PUBLIC_ONLY)
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def response(status: int = 200, body: bytes = b"", truncated: bool = False, **headers: str) -> HttpResponse:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return HttpResponse(status, Headers(pairs), body, 1, "a.example", truncated)


def test_a_request_is_written_as_http() -> None:
    written = write_request("POST", TARGET, json={"a": "ü"}, headers={"X-One": "1"}, idempotency_key="k-1")
    head, _, body = written.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /x HTTP/1.1"
    assert set(lines[1:]) == {
        "host: a.example",
        "user-agent: Tenantry",
        "accept: */*",
        "accept-encoding: identity",
        "connection: close",
        "content-type: application/json",
        "content-length: 15",
        "x-one: 1",
        "idempotency-key: k-1",
    }
    assert body == b'{"a": "\\u00fc"}'


def test_text_is_sent_as_utf8_and_bytes_as_they_are() -> None:
    assert write_request("POST", TARGET, body="ü").endswith(b"content-length: 2\r\n\r\n\xc3\xbc")
    assert write_request("PUT", TARGET, body=b"\x00").endswith(b"content-length: 1\r\n\r\n\x00")
    assert b"content-length: 0" in write_request("POST", TARGET)
    assert b"content-length" not in write_request("GET", TARGET)


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\rb", "a\x00b", "a\u2028b", "a\x7f", "x" * 9000])
def test_a_header_cannot_break_out(value: str) -> None:
    for arguments in ({"headers": {"X-A": value}}, {"headers": {value: "x"}}, {"idempotency_key": value}):
        with pytest.raises(InvalidRequest) as refusal:
            write_request("POST", TARGET, **arguments)  # type: ignore[arg-type] # one of several keywords
        assert refusal.value.permanent
        assert value not in str(refusal.value)


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "Connection", "Expect", "Accept-Encoding", "TE"]
)
def test_a_header_that_frames_the_request_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="set by the client itself"):
        write_request("POST", TARGET, headers={name: "x"})


@pytest.mark.parametrize("method", ["", "GET /x HTTP/1.1\r\nX: 1", "GE T", "CONNECT", "TRACE"])
def test_an_odd_method_is_refused(method: str) -> None:
    with pytest.raises(InvalidRequest, match="not an HTTP method"):
        write_request(method, TARGET)


def test_what_is_no_json_is_refused_without_repeating_it() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    for value in ({"a": object()}, {"s3cret"}, math.nan, {("s3cret",): 1}, cycle):
        with pytest.raises(InvalidRequest, match="cannot be written as JSON") as refusal:
            write_request("POST", TARGET, json=value)
        assert refusal.value.__context__ is None
    with pytest.raises(InvalidRequest, match="not both"):
        write_request("POST", TARGET, json={}, body=b"")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("9" * 400, 86400.0),
        ("Tue, 01 Jan 2030 00:01:00 GMT", 60.0),
        ("Mon, 31 Dec 2029 00:00:00 GMT", 0.0),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 86400.0),
        ("Tue, 01 Jan 2030 00:01:00", 60.0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("²", None),
        ("Tue, 99 Jan 2030 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value, now=NOW) == seconds


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_2xx_is_ok(status: int) -> None:
    assert response(status).ok
    response(status).raise_for_status()


@pytest.mark.parametrize(
    ("status", "words", "permanent"),
    [
        (304, "a.example answered 304 (Not Modified)", False),
        (403, "a.example answered 403 (Forbidden)", False),
        (404, "a.example answered 404 (Not Found)", False),
        (410, "a.example answered 410 (Gone)", True),
        (500, "a.example answered 500 (Internal Server Error)", False),
        (799, "a.example answered 799", False),
    ],
)
def test_another_status_is_raised_in_plain_words(status: int, words: str, permanent: bool) -> None:
    with pytest.raises(HttpStatusError) as error:
        response(status, b"s3cret").raise_for_status()
    assert (str(error.value), error.value.status, error.value.permanent) == (words, status, permanent)


def test_a_redirect_is_its_own_error() -> None:
    with pytest.raises(RedirectRefused, match="redirects are not followed"):
        response(302, location="http://169.254.169.254/").raise_for_status()


def test_retry_after_is_on_the_error() -> None:
    with pytest.raises(HttpStatusError) as error:
        response(429, retry_after="30").raise_for_status()
    assert error.value.retry_after == 30.0


def test_headers_are_found_in_any_case() -> None:
    headers = Headers([("Set-Cookie", "a"), ("set-cookie", "b"), ("X-One", "1")])
    assert (headers["SET-COOKIE"], headers.get("x-one"), headers.get("x-two"), len(headers)) == ("a, b", "1", None, 2)


def test_json_of_an_answer_is_read_or_refused() -> None:
    assert response(body=b'{"ok": true}').json() == {"ok": True}
    for broken in (response(body=b"<html>"), response(body=b"\xff"), response(body=b"[" * 60000)):
        with pytest.raises(InvalidAnswer, match="did not answer with JSON") as error:
            broken.json()
        assert error.value.__context__ is None
    with pytest.raises(InvalidAnswer, match="sent more than is accepted"):
        response(body=b"1", truncated=True).json()
    assert response(body=b"\xffa").text() == "\ufffda"


def test_an_answer_keeps_its_body_out_of_the_repr() -> None:
    assert "s3cret" not in repr(response(body=b"s3cret", x_token="s3cret"))


def test_an_error_survives_pickling() -> None:
    error = HttpStatusError("x answered 429", status=429, retry_after=3.0)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.status, again.retry_after, again.permanent) == ("x answered 429", 429, 3.0, False)


@pytest.mark.parametrize("client", [HttpClient, SmtpClient])
def test_a_tls_context_that_checks_nothing_is_refused(client: type[HttpClient | SmtpClient]) -> None:
    lax = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    lax.check_hostname = False
    with pytest.raises(ValueError, match="must check the certificate"):
        client(tls_context=lax)


def test_the_session_keys_are_written_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    from plugin_framework.sdk.net._wire import tls_context

    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    tls_context.cache_clear()
    context = tls_context()
    assert context.keylog_filename is None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
