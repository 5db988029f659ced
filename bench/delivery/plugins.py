"""The handlers of the delivery benchmarks: one that does nothing, one that notes how late it was called, one that means harm."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

from bench.delivery.names import NOTES, SINK
from plugin_framework.sdk import PluginInterface, event, hook


class _Plugin(PluginInterface):
    version = "1.0.0"

    def initialize(self, config: dict[str, Any]) -> None:
        """Takes nothing."""

    def cleanup(self) -> None:
        """Gives nothing back."""


class NoopPlugin(_Plugin):
    """Does nothing."""

    name = "bench_noop"
    declares = (event("bench_noop", "what", doc="Nothing has happened.", when="A benchmark says so."),)

    @hook("bench_noop")
    def on_noop(self, what: dict[str, Any]) -> None:
        """Nothing."""


class NoopTooPlugin(_Plugin):
    """The same for another lane."""

    name = "bench_noop_too"
    declares = (event("bench_noop_too", "what", doc="Nothing has happened here either.", when="A benchmark says so."),)

    @hook("bench_noop_too")
    def on_noop(self, what: dict[str, Any]) -> None:
        """Nothing."""


class ClockPlugin(_Plugin):
    """Notes how long ago its event was."""

    name = "bench_clock"
    declares = (event("bench_clock", "at", doc="Look at the clock.", when="A benchmark says so."),)

    @hook("bench_clock")
    def on_clock(self, at: int) -> None:
        """`at`: nanoseconds of this machine's monotonic clock. One small write is whole or absent."""
        lag = time.monotonic_ns() - at
        with Path(os.environ[NOTES]).open("ab", buffering=0) as file:
            file.write(b"%d\n" % lag)


class HostilePlugin(_Plugin):
    """Does what it is told to, and that is nothing good."""

    name = "bench_hostile"
    declares = (event("bench_hostile", "do", doc="Do harm.", when="A benchmark says so."),)

    @hook("bench_hostile")
    def on_hostile(self, do: str) -> None:
        """`do`: the name of one of the harms."""
        getattr(self, f"do_{do}")()

    def do_ok(self) -> None:
        """None, this time."""

    def do_hang(self) -> None:
        """Wait for a receiver that takes the connection and never answers."""
        with socket.create_connection(("127.0.0.1", int(os.environ[SINK]))) as wire:
            wire.recv(1)

    def do_sleep(self) -> None:
        """Take one's time."""
        time.sleep(3)

    def do_memory(self) -> None:
        """Take all memory there is, in pieces that are touched."""
        hoard = []
        while True:
            hoard.append(bytes(bytearray(16 << 20)))

    def do_exit(self) -> None:
        """Take the process along."""
        os._exit(7)
