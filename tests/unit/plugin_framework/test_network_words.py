"""Whatever goes wrong on the network is read in German to the last word, also where it stands in another sentence."""

from __future__ import annotations

import errno
import os
import ssl
from email.message import EmailMessage
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any

import pytest
from django.utils import translation

from plugin_framework.delivery.outcome import gave_up
from plugin_framework.sdk._words import reread
from plugin_framework.sdk.net import NetworkError
from plugin_framework.sdk.net._addresses import why_not_public
from plugin_framework.sdk.net._guard import Destination, resolve
from plugin_framework.sdk.net._http_request import write_request
from plugin_framework.sdk.net._http_response import HttpResponse, status_error
from plugin_framework.sdk.net._mail import pack
from plugin_framework.sdk.net._policy import PUBLIC_ONLY
from plugin_framework.sdk.net._url import parse_url
from plugin_framework.sdk.net._wire import _plain

HERE = Destination("mail.example.com", 465, "192.0.2.1")
EMBEDDING = [
    "::ffff:10.0.0.1",
    "::ffff:0:10.0.0.1",
    "::10.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:a00:1::",
    "2001::f5ff:fffe",
]
PUBLIC_INSIDE = ["::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::"]


def in_german(text: str) -> str:
    with translation.override("de"):
        return str(reread(text))


def refused(address: str) -> str:
    with pytest.raises(NetworkError) as error:
        resolve(address, 443, policy=PUBLIC_ONLY)
    return str(error.value)


@pytest.mark.parametrize("address", EMBEDDING)
def test_an_address_in_disguise_is_named_in_german_with_what_is_behind_it(address: str) -> None:
    said = in_german(gave_up(refused(address)))
    assert "die für etwas anderes steht (eine private Adresse)" in said
    assert not {"stands", "address", "private address"} & set(said.split())


@pytest.mark.parametrize("address", PUBLIC_INSIDE)
def test_another_spelling_of_a_public_address_is_named_in_german(address: str) -> None:
    said = in_german(refused(address))
    assert "eine andere Schreibweise einer IPv4-Adresse" in said
    assert "spelling" not in said


def test_every_kind_of_address_that_is_refused_has_german_words() -> None:
    from plugin_framework.sdk.net import _addresses

    networks = [*_addresses._NOT_PUBLIC_V4, *_addresses._NOT_PUBLIC_V6]
    for network, _reason in networks:
        reason = why_not_public(ip_address(str(network.network_address)))
        assert reason is not None
        assert in_german(reason) != reason, reason


def certificate(message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "verify failed")
    error.verify_message = message
    return error


def no_reason() -> ssl.SSLError:
    error = ssl.SSLError(1, "")
    error.reason = None  # type: ignore[assignment]  # as OpenSSL leaves it sometimes
    return error


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (certificate("self-signed certificate"), "selbst signiertes Zertifikat"),
        (certificate("certificate has expired"), "das Zertifikat ist abgelaufen"),
        (
            certificate("Hostname mismatch, certificate is not valid for 'mail.example.com'."),
            "Der Servername stimmt nicht überein, das Zertifikat gilt nicht für „mail.example.com“.",
        ),
        (no_reason(), "unbekannter Grund"),
        (OSError(errno.EPIPE, os.strerror(errno.EPIPE)), "Verbindung abgebrochen"),
        (OSError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)), "Verbindung von der Gegenseite zurückgesetzt"),
        (OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)), "die Gegenseite hat nicht rechtzeitig geantwortet"),
        (OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH)), "das Netz ist nicht erreichbar"),
        (OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH)), "kein Weg zum Server"),
        (OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL)), "die Adresse ist nicht verfügbar"),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "zu viele offene Dateien"),
    ],
)
def test_the_words_of_the_system_and_of_openssl_are_said_in_german(cause: OSError, said: str) -> None:
    assert said in in_german(gave_up(str(_plain(cause, HERE))))


@pytest.mark.parametrize("status", [int(each) for each in HTTPStatus if each >= 300])
def test_what_a_status_means_is_said_in_german(status: int) -> None:
    text = str(status_error(HttpResponse(status, {}, b"", 1, "a.example")))
    assert f"a.example answered {status} ({HTTPStatus(status).phrase})" in text
    said = in_german(gave_up(text))
    assert f"a.example hat mit {status} (" in said
    assert HTTPStatus(status).phrase not in said


def message(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    for name, value in headers.items():
        mail[name] = value
    mail.set_content("Hello")
    return mail


def request(**more: Any) -> bytes:
    return write_request(more.pop("method", "POST"), parse_url("https://example.com/", policy=PUBLIC_ONLY), **more)


@pytest.mark.parametrize(
    "send",
    [
        lambda: pack(message(), sender="a@example.com", recipients=[]),
        lambda: pack(message(), sender="a", recipients=["b@example.com"]),
        lambda: request(method="A B"),
        lambda: request(json={}, body=b""),
        lambda: request(json=float("nan")),
        lambda: request(headers={"a": "\n"}),
        lambda: request(headers={"Host": "x"}),
    ],
)
def test_what_cannot_be_sent_is_refused_in_words_that_german_has(send: Any) -> None:
    with pytest.raises(NetworkError) as error:
        send()
    text = str(error.value)
    assert in_german(text) != text
    assert text not in in_german(gave_up(text))
