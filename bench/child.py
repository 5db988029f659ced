"""One side of the benchmark in a process of its own: reads commands from stdin, a JSON object a line, and answers the same way."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import django


def main() -> None:
    """Answer until stdin ends."""
    django.setup()
    from bench import hooks, requests, tenants  # Django has to be set up first
    from bench.crowd import peer, visits, work
    from bench.crowd import tenants as crowd
    from bench.delivery import fleet, stream

    commands: dict[str, Callable[..., Any]] = {
        "make": tenants.make,
        "open": hooks.open_tenant,
        "hook": hooks.microseconds,
        "request": requests.microseconds,
        "statements": requests.statements,
        "fleet": fleet.make,
        "backlog": fleet.backlog,
        "sparse": fleet.sparse,
        "clear": fleet.clear,
        "harm": stream.backlog,
        "stream": stream.run,
        "crowd": crowd.make,
        "people": crowd.people,
        "visit": visits.visit,
        "memory": visits.memory,
        "migrate": work.migrate,
        "sign_ups": work.new_organisations,
        "peer_prepare": peer.prepare,
        "peer_migrate": peer.migrate,
        "peer_tenants": peer.new_tenants,
    }
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(commands[asked.pop("do")](**asked)), flush=True)


if __name__ == "__main__":
    main()
