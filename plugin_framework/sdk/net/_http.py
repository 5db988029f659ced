"""The HTTP client plugins get: public addresses only, one deadline for everything, nothing followed."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Mapping

from plugin_framework.sdk.net._errors import NetworkError
from plugin_framework.sdk.net._guard import Destination, Resolver, resolve
from plugin_framework.sdk.net._http_request import Json, write_request
from plugin_framework.sdk.net._http_response import (
    MOST_HEADER_BYTES,
    HttpResponse,
    is_redirect,
    read_response,
    status_error,
)
from plugin_framework.sdk.net._policy import PUBLIC_ONLY, Deadline, NetworkPolicy
from plugin_framework.sdk.net._url import Target, parse_url, usual_ports
from plugin_framework.sdk.net._wire import Wire, checked, connect

logger = logging.getLogger(__name__)


class HttpClient:
    """Sends one request on one connection at a time; safe to share between threads, holds nothing open.

    https on port 443 unless the policy says otherwise. The host is resolved once, all its addresses are checked, and
    the connection goes to one of those. Proxies of the environment are not used, redirects not followed, cookies not
    kept, bodies not decompressed.

    Args:
        policy: where it may go and how long it may take.
        resolver: called and answering like `socket.getaddrinfo`.
        tls_context: a context that checks certificate and name, where the machine's own authorities are not enough.

    Raises:
        ValueError: `tls_context` would not check the other side.
    """

    def __init__(
        self,
        policy: NetworkPolicy = PUBLIC_ONLY,
        *,
        resolver: Resolver = socket.getaddrinfo,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self.policy = policy
        self._resolver = resolver
        self._tls = checked(tls_context)

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, timeout: float | None = None) -> HttpResponse:
        """`request` with GET."""
        return self.request("GET", url, headers=headers, timeout=timeout)

    def post(
        self,
        url: str,
        *,
        json: Json = None,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        idempotency_key: str | None = None,
    ) -> HttpResponse:
        """`request` with POST."""
        return self.request(
            "POST", url, json=json, body=body, headers=headers, timeout=timeout, idempotency_key=idempotency_key
        )

    def check_url(self, url: str, *, timeout: float = 3.0) -> None:
        """Do what comes before a connection, for a form: read the URL, look its host up, look at every address and the port.

        Passing says nothing about the next time: DNS changes, and each request looks again.

        Args:
            timeout: seconds for the lookup; the policy's is the most.

        Raises:
            DestinationRefused: a request to it would be refused. DestinationUnreachable: its host is unknown.
            NetworkTimeout: DNS did not answer in time. ValueError: `timeout` is not a positive number.
        """
        deadline = self.policy.deadline(timeout)
        try:
            self._resolve(parse_url(url, policy=self.policy), deadline)
        except NetworkError as exc:
            error = exc.detached()
        else:
            return
        raise error

    def request(
        self,
        method: str,
        url: str,
        *,
        json: Json = None,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        idempotency_key: str | None = None,
    ) -> HttpResponse:
        """Send a request and read the answer.

        Args:
            method: in capitals, "POST".
            url: absolute, https.
            json: sent as JSON, with its content type.
            body: sent as it is; text as UTF-8. Not together with `json`.
            headers: added to ours; those that frame the request are refused.
            timeout: seconds for everything; the policy's is the most.
            idempotency_key: sent as `Idempotency-Key`, so that the other side can recognise a repetition.

        Raises:
            DestinationRefused, DestinationUnreachable, NetworkTimeout, TlsError, ConnectionBroken, InvalidAnswer,
                InvalidRequest: as each says; all are `NetworkError`.
            RedirectRefused: the answer was a redirect. Any other status is an answer: see
                `HttpResponse.raise_for_status`.
            ValueError: `timeout` is not a positive number.
        """
        started, deadline = time.monotonic(), self.policy.deadline(timeout)
        try:
            target = parse_url(url, policy=self.policy)
            data = write_request(method, target, json=json, body=body, headers=headers, idempotency_key=idempotency_key)
            response = self._exchange(method, target, data, deadline, started)
        except NetworkError as exc:
            error = exc.detached()
        else:
            logger.debug("%s to %s: %d in %d ms", method, response.host, response.status, response.elapsed_ms)
            return response
        raise error

    def _exchange(self, method: str, target: Target, data: bytes, deadline: Deadline, started: float) -> HttpResponse:
        wire = self._connect(target, deadline)
        try:
            if target.scheme == "https":
                wire.start_tls(self._tls)
            wire.sendall(data)
            status, headers, body, truncated = read_response(wire, method, max_body=self.policy.max_response_bytes)
        finally:
            wire.close()
        elapsed = round((time.monotonic() - started) * 1000)
        response = HttpResponse(status, headers, body, elapsed, target.host.text, truncated, method)
        if is_redirect(status):
            raise status_error(response)
        return response

    def _resolve(self, target: Target, deadline: Deadline) -> tuple[Destination, ...]:
        return resolve(
            target.host.text,
            target.port,
            policy=self.policy,
            ports=usual_ports(self.policy),
            deadline=deadline,
            resolver=self._resolver,
        )

    def _connect(self, target: Target, deadline: Deadline) -> Wire:
        destinations = self._resolve(target, deadline)
        return connect(destinations, policy=self.policy, deadline=deadline, allowance=MOST_HEADER_BYTES)
