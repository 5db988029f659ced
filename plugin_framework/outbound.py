"""Refuses outbound connections to handlers that run while somebody waits: those belong into handlers of events.

Python tells audit hooks (PEP 578) of every `connect` and name lookup of its own sockets, whichever library makes it. libpq's are
not among them, so the database stays reachable. This guards against slow pages, not against hostile code.
"""

from __future__ import annotations

import sys
from typing import Any

from plugin_framework.db.savepoints import inside_handler
from plugin_framework.sdk import PluginError

_CONNECTING = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname"})
_installed = False


class OutboundRefused(PluginError):
    """Handlers of actions and filters run while a person waits, and make no connections. Do it in the handler of an event instead."""


def install() -> None:
    """Watch this process from now on. There is no way to stop watching, so once is enough."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(_watch)


def _watch(event: str, args: tuple[Any, ...]) -> None:
    """Called for every audited event of the process: the cheapest test comes first."""
    if event in _CONNECTING and inside_handler() and _leaves_the_machine(event, args):
        raise OutboundRefused


def _leaves_the_machine(event: str, args: tuple[Any, ...]) -> bool:
    """A path is a Unix socket (a log daemon's, say); everything else has a host."""
    return event != "socket.connect" or isinstance(args[1], tuple)
