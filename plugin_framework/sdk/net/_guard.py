"""Decides where we may connect: resolves a host once, checks every address, hands out exactly those."""

from __future__ import annotations

import logging
import queue
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from plugin_framework.sdk._words import Phrase
from plugin_framework.sdk.net._addresses import Address, is_loopback, why_not_public
from plugin_framework.sdk.net._errors import DestinationRefused, DestinationUnreachable, NetworkTimeout
from plugin_framework.sdk.net._names import Host, parse_host
from plugin_framework.sdk.net._policy import Deadline, NetworkPolicy, late

logger = logging.getLogger(__name__)

type Resolver = Callable[..., Sequence[tuple[Any, ...]]]  # as socket.getaddrinfo is called and answers

_UNKNOWN_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
_IS = Phrase(
    "%(host)s is not allowed: it is %(reason)s. Only hosts on the public internet can be reached; use the public name of the service."
)
_LEADS_TO = Phrase(
    "%(host)s is not allowed: it leads to %(reason)s. "
    "Only hosts on the public internet can be reached; use the public name of the service."
)
_NO_PORT = Phrase("%(port)s is not a port number. Ports are 1 to 65535.")
_PORT = Phrase("Port %(port)s is not allowed. Use one of these ports: %(allowed)s.")
_UNKNOWN = Phrase("The host %(host)s is unknown. Check its spelling.")
_NOT_NOW = Phrase("The host %(host)s could not be looked up just now.")
_SLOW = Phrase("The host %(host)s could not be looked up within %(number)s seconds.")
_SLOW_ONE = Phrase("The host %(host)s could not be looked up within 1 second.")
_STRANGE = Phrase(
    "%(host)s is not allowed: it leads to something that is not an internet address. Use the public name of the service."
)
_NOWHERE = Phrase("The host %(host)s has no address. Check its spelling.")


@dataclass(frozen=True, slots=True)
class Destination:
    """One checked address; connect to this and never look the name up again."""

    host: str  # the name that was asked for: what a certificate must prove
    port: int
    address: str

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET

    @property
    def is_loopback(self) -> bool:
        return is_loopback(ip_address(self.address))


def resolve(
    host: str,
    port: int,
    *,
    policy: NetworkPolicy,
    ports: frozenset[int] | None = None,
    deadline: Deadline | None = None,
    resolver: Resolver = socket.getaddrinfo,
) -> tuple[Destination, ...]:
    """Look `host` up once and return the addresses to connect to, in the resolver's order.

    One bad record refuses all of them: a host that mixes public and internal addresses is an attack or a mistake.

    Args:
        host: a name or an address, as a person wrote it.
        port: 1 to 65535.
        policy: what may be talked to.
        ports: the ports the protocol uses on public hosts (the policy may add some); None leaves the port to the
            caller. With `allow_loopback` any port will do, if every address of the host is loopback: that is known
            only after the lookup, so it is decided here.
        deadline: by when the lookup must be over; by default the policy's total timeout from now.
        resolver: called and answering like `socket.getaddrinfo`.

    Raises:
        DestinationRefused: the host is malformed, an address of it is not allowed, or the port is not.
        DestinationUnreachable: the name cannot be resolved.
        NetworkTimeout: DNS did not answer in time.
    """
    target = parse_host(host)
    _check_port(port, policy=policy, ports=ports, local=policy.allow_loopback)
    addresses = [target.address] if target.address else _look_up(target, port, deadline or policy.deadline(), resolver)
    for address in addresses:
        _check_address(address, target, policy=policy)
    _check_port(port, policy=policy, ports=ports, local=policy.allow_loopback and all(map(is_loopback, addresses)))
    return tuple(Destination(target.text, port, str(address)) for address in addresses)


def _check_address(address: Address, host: Host, *, policy: NetworkPolicy) -> None:
    reason = why_not_public(address)
    if reason is None or (policy.allow_loopback and is_loopback(address)):
        return
    # What an internal name resolves to is not told to whoever typed it, only to the log.
    logger.info("refused to connect to %s: %s is %s", host, address, reason)
    if host.address:
        raise DestinationRefused(_IS(host=host, reason=reason).english, permanent=True)
    raise DestinationRefused(_LEADS_TO(host=host, reason=reason).english)


def _check_port(port: int, *, policy: NetworkPolicy, ports: frozenset[int] | None, local: bool) -> None:
    if not 0 < port < 65536:
        raise DestinationRefused(_NO_PORT(port=port).english, permanent=True)
    if ports is None or local or port in ports | policy.extra_ports:
        return
    allowed = ", ".join(str(number) for number in sorted(ports | policy.extra_ports))
    raise DestinationRefused(_PORT(port=port, allowed=allowed).english, permanent=True)


def _look_up(host: Host, port: int, deadline: Deadline, resolver: Resolver) -> list[Address]:
    try:
        records = _ask(host, port, deadline, resolver)
    except (OSError, UnicodeError) as exc:  # the C library's answer, in our words
        failure: BaseException = exc
    else:
        return _addresses(records, host)
    if isinstance(failure, socket.gaierror) and failure.errno in _UNKNOWN_NAME:
        raise DestinationUnreachable(_UNKNOWN(host=host).english)
    raise DestinationUnreachable(_NOT_NOW(host=host).english)


def _ask(host: Host, port: int, deadline: Deadline, resolver: Resolver) -> Sequence[tuple[Any, ...]]:
    """Call the resolver in a thread we may leave behind: the C library has no timeout for it and cannot be interrupted.

    A thread and not a process: a lookup left behind holds no lock of ours and ends by itself when the C library gives
    up (seconds to half a minute), so a caller leaves at most a few behind. A DNS client of our own would ignore the
    machine's resolver settings.
    """
    answer: queue.SimpleQueue[Sequence[tuple[Any, ...]] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(resolver(host.text, port, type=socket.SOCK_STREAM))
        except Exception as exc:  # noqa: BLE001 - handed over and raised by the caller who waits
            answer.put(exc)

    threading.Thread(target=ask, name="dns-lookup", daemon=True).start()
    try:
        result = answer.get(timeout=deadline.remaining())
    except queue.Empty:
        result = NetworkTimeout(late(_SLOW, _SLOW_ONE, deadline.seconds, host=host))
    if isinstance(result, Exception):
        raise result
    return result


def _addresses(records: Sequence[tuple[Any, ...]], host: Host) -> list[Address]:
    found: list[Address] = []
    for family, _type, _proto, _name, sockaddr in records:
        if family not in (socket.AF_INET, socket.AF_INET6):
            raise DestinationRefused(_STRANGE(host=host).english)
        address = ip_address(str(sockaddr[0]))  # a zone ("fe80::1%eth0") stays part of it, and link-local is refused
        if address not in found:
            found.append(address)
    if not found:
        raise DestinationUnreachable(_NOWHERE(host=host).english)
    return found
