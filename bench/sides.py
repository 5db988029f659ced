"""The processes of all sides: started once, asked in turn, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any


class SideFailed(RuntimeError):
    """A process of the benchmark ended early. Its last words stand above."""


@dataclass(frozen=True, slots=True)
class Side:
    """One running process."""

    name: str
    process: subprocess.Popen[str]

    def ask(self, do: str, **about: Any) -> Any:
        """Have it do something and wait for the answer.

        Raises:
            SideFailed: it ended instead.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **about}) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise SideFailed(f"{self.name}: {SideFailed.__doc__}")
        return json.loads(answer)


@dataclass(frozen=True, slots=True)
class Sides:
    """All of them."""

    ours: Mapping[int, Side]  # by the number of plugins registered
    peer: Side  # django-tenants
    bare: Side  # no tenancy at all


def environment(url: str) -> dict[str, str]:
    """What all processes of the benchmark are told, besides their settings."""
    return {
        "DATABASE_URL": url,
        "SECRET_KEY": secrets.token_hex(32),
        "SECRETS_KEYS": secrets.token_hex(32),
        "BASE_DOMAIN": "localhost",
        "LOG_LEVEL": "WARNING",
        "PYTHONHASHSEED": "0",  # the same layout of every dict in all processes
    }


@contextmanager
def started(url: str, registered: tuple[int, ...]) -> Iterator[Sides]:
    """Fill the database at `url`, and start all sides on it."""
    common = environment(url)
    with ExitStack() as stack:

        def start(name: str, settings: str, **env: str) -> Side:
            return stack.enter_context(side(name, {**common, "DJANGO_SETTINGS_MODULE": f"bench.{settings}", **env}))

        ours = {
            count: start(f"Tenantry with {count} plugins", "settings", BENCH_PLUGINS=str(count)) for count in registered
        }
        schemas = ours[registered[0]].ask("make")
        peer = start("django-tenants", "settings_peer")
        bare = start("no tenancy", "settings_bare", BENCH_SCHEMA=schemas["requests"])
        yield Sides(ours, peer, bare)


@contextmanager
def side(name: str, env: Mapping[str, str]) -> Iterator[Side]:
    """Start one."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )
    with process:  # closes its stdin, upon which it ends, and waits for that
        yield Side(name, process)
