"""The HTTP client against a real receiver that does what it should, and over TLS."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from plugin_framework.sdk.net import (
    DestinationRefused,
    DestinationUnreachable,
    HttpClient,
    InvalidRequest,
    NetworkPolicy,
    NetworkTimeout,
    TlsError,
)
from tests.integration.net.receivers import LOOKOUT, Authority, Receiver, Talk, answer, names

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Two: a\r\nX-Two: b\r\n\r\nok"
Start = Callable[..., Receiver]


def test_a_post_arrives_as_it_was_meant(receiver: Start, policy: NetworkPolicy) -> None:
    server = receiver(answer(OK))
    response = HttpClient(policy).post(
        server.url, json={"text": "Grüße"}, headers={"X-One": "1"}, idempotency_key="k-1"
    )
    assert (response.status, response.ok, response.body, response.headers["x-two"]) == (200, True, b"ok", "a, b")
    assert (response.truncated, response.elapsed_ms >= 0) == (False, True)
    head, _, body = server.talks[0].received.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook/s3cret?token=s3cret HTTP/1.1\r\n")
    assert b"\r\nidempotency-key: k-1" in head
    assert f"\r\nhost: 127.0.0.1:{server.port}".encode() in head
    assert json.loads(body) == {"text": "Grüße"}


def test_get_and_head_are_sent(receiver: Start, policy: NetworkPolicy) -> None:
    server = receiver(answer(OK))
    assert HttpClient(policy).get(server.url).body == b"ok"
    assert HttpClient(policy).request("HEAD", server.url).body == b""
    assert [talk.received[:4] for talk in server.talks] == [b"GET ", b"HEAD"]


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nok",
    ],
)
def test_the_body_is_read_in_every_framing(receiver: Start, policy: NetworkPolicy, data: bytes) -> None:
    assert HttpClient(policy).get(receiver(answer(data)).url).body == b"ok"


def test_an_answer_without_a_body_is_an_answer(receiver: Start, policy: NetworkPolicy) -> None:
    assert HttpClient(policy).post(receiver(answer(b"HTTP/1.1 204 No Content\r\n\r\n")).url, json={}).status == 204


def test_the_connection_is_closed_after_the_answer(receiver: Start, policy: NetworkPolicy) -> None:
    ended = []

    def script(talk: Talk) -> None:
        talk.read_request()
        talk.send(OK)
        ended.append(talk.sock.recv(1))

    server = receiver(script)
    HttpClient(policy).get(server.url)
    server.__exit__()  # waits for the script
    assert ended == [b""]


def test_the_proxies_of_the_environment_are_ignored(
    receiver: Start, policy: NetworkPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, proxy = receiver(answer(OK)), receiver(answer(OK))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("no_proxy", "")
    assert HttpClient(policy).get(server.url).ok
    assert (len(server.talks), len(proxy.talks)) == (1, 0)


def test_no_cookie_is_sent_back(receiver: Start, policy: NetworkPolicy) -> None:
    server = receiver(answer(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"))
    client = HttpClient(policy)
    client.get(server.url)
    client.get(server.url)
    assert b"cookie" not in server.talks[1].received.lower()


def test_a_header_injection_reaches_nobody(receiver: Start, policy: NetworkPolicy) -> None:
    server = receiver(answer(OK))
    with pytest.raises(InvalidRequest):
        HttpClient(policy).post(server.url, headers={"X-A": "1\r\nX-Evil: 1"})
    with pytest.raises(DestinationRefused):
        HttpClient(policy).get(server.url + " HTTP/1.1\r\nX-Evil: 1")
    assert server.talks == []


def test_nothing_listening_is_said_plainly(policy: NetworkPolicy) -> None:
    with socket.socket() as bound:  # bound, so that nobody else gets the port, but not listening
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with pytest.raises(DestinationUnreachable) as failure:
            HttpClient(policy).get(f"http://127.0.0.1:{port}/s3cret")
    assert str(failure.value) == f"could not connect to 127.0.0.1 port {port}: connection refused"


def test_the_next_address_is_tried_when_one_does_not_answer(receiver: Start, policy: NetworkPolicy) -> None:
    server = receiver(answer(OK))
    client = HttpClient(policy, resolver=names(hooks=("::1", "127.0.0.1")))
    assert client.get(f"http://hooks.acme.test:{server.port}/").ok


def test_an_unknown_name_is_said_plainly(policy: NetworkPolicy) -> None:
    with pytest.raises(
        DestinationUnreachable, match=r"^The host nowhere\.acme\.test is unknown\. Check its spelling\.$"
    ):
        HttpClient(policy, resolver=names()).get("https://nowhere.acme.test/s3cret")


def test_tls_proves_the_name_over_the_pinned_address(
    receiver: Start, policy: NetworkPolicy, authority: Authority
) -> None:
    asked: list[str | None] = []
    authority.server.sni_callback = lambda _sock, name, _context: asked.append(name)
    try:
        server = receiver(answer(OK), tls=authority.server)
        client = HttpClient(policy, resolver=names(hooks="127.0.0.1"), tls_context=authority.client)
        response = client.post(f"https://hooks.acme.test:{server.port}/s3cret", json={})
    finally:
        authority.server.sni_callback = None  # type: ignore[assignment] # how it is taken back
    assert (response.body, asked) == (b"ok", ["hooks.acme.test"])
    assert b"host: hooks.acme.test:" in server.talks[0].received


def test_tls_to_an_address_proves_the_address(receiver: Start, policy: NetworkPolicy, authority: Authority) -> None:
    assert HttpClient(policy, tls_context=authority.client).get(receiver(answer(OK), tls=authority.server).url).ok


@pytest.mark.parametrize("kind", ["wrong name", "expired", "unknown authority"])
def test_a_certificate_that_proves_nothing_is_refused(
    receiver: Start, policy: NetworkPolicy, authority: Authority, kind: str
) -> None:
    server = receiver(answer(OK), tls=authority.expired if kind == "expired" else authority.server)
    client = HttpClient(
        policy,
        resolver=lambda _host, port, **_options: names(x="127.0.0.1")("x.acme.test", port),
        tls_context=None if kind == "unknown authority" else authority.client,
    )
    host = "hooks.globex.test" if kind == "wrong name" else "hooks.acme.test"
    with pytest.raises(TlsError, match=rf"^The certificate of {host} port \d+ is not accepted: ") as failure:
        client.get(f"https://{host}:{server.port}/s3cret")
    assert (failure.value.permanent, "s3cret" in str(failure.value)) == (False, False)
    assert server.talks[0].received == b""


def test_a_server_without_tls_is_said_plainly(receiver: Start, policy: NetworkPolicy) -> None:
    server = receiver(lambda talk: talk.send(b"SSH-2.0-OpenSSH_9.6\r\n"))
    with pytest.raises(TlsError, match="does not speak TLS as expected"):
        HttpClient(policy).get(f"https://127.0.0.1:{server.port}/")


def test_a_handshake_that_hangs_ends_in_a_timeout(receiver: Start, hurried: NetworkPolicy) -> None:
    server = receiver(Talk.hang)
    with pytest.raises(NetworkTimeout):
        HttpClient(hurried).get(f"https://127.0.0.1:{server.port}/")


def test_a_drip_inside_tls_ends_in_a_timeout(receiver: Start, hurried: NetworkPolicy, authority: Authority) -> None:
    def script(talk: Talk) -> None:
        talk.read_request()
        talk.drip(b"HTTP/1.1 200 OK\r\nX: ", forever=b"x")

    client = HttpClient(hurried, tls_context=authority.client)
    with pytest.raises(NetworkTimeout):
        client.get(receiver(script, tls=authority.server).url)


def test_the_default_policy_lets_nobody_reach_this_machine(receiver: Start) -> None:
    server = receiver(answer(OK))
    with LOOKOUT.watch() as seen, pytest.raises(DestinationRefused):
        HttpClient().get(f"https://127.0.0.1:{server.port}/")
    assert (seen, server.talks) == ([], [])


def test_a_name_is_resolved_once_and_the_connection_goes_where_it_was_checked(
    receiver: Start, policy: NetworkPolicy
) -> None:
    checked, other = receiver(answer(OK)), receiver(answer(OK), host="::1")
    asked = []

    def resolver(host: str, port: int, **options: Any) -> Any:
        asked.append(host)
        return names(rebind="127.0.0.1" if len(asked) % 2 else "::1")(host, port, **options)

    client = HttpClient(policy, resolver=resolver)
    for _ in range(25):
        assert client.get(f"http://rebind.acme.test:{checked.port}/").ok
        asked.append("turn")  # the next question gets the good answer again
    assert (len(checked.talks), len(other.talks), asked.count("rebind.acme.test")) == (25, 0, 25)


def test_a_name_that_rebinds_to_this_machine_is_never_connected_to(receiver: Start) -> None:
    canaries = receiver(Talk.hang), receiver(Talk.hang, host="::1")
    policy = NetworkPolicy(allow_http=True, extra_ports=frozenset(canary.port for canary in canaries))
    turns = [
        ("8.8.8.8", "127.0.0.1"),
        ("::1",),
        ("10.0.0.1",),
        ("2606:4700::1", "::ffff:127.0.0.1"),
        ("169.254.169.254",),
    ]
    with LOOKOUT.watch() as seen:
        for turn in range(50):
            client = HttpClient(policy, resolver=names(rebind=turns[turn % len(turns)]))
            with pytest.raises(DestinationRefused):
                client.get(f"http://rebind.acme.test:{canaries[turn % 2].port}/")
    assert (seen, [len(canary.talks) for canary in canaries]) == ([], [0, 0])


def test_the_standard_authorities_are_loaded() -> None:
    from plugin_framework.sdk.net._wire import tls_context

    assert tls_context().verify_mode is ssl.CERT_REQUIRED
    assert tls_context().check_hostname
