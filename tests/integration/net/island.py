"""A network in which every address there is leads to this process, run as a program: whoever connects anywhere is seen, and where.

Started by `test_hostile_island.py` in a network namespace of its own (`unshare --net`), in which loopback, private, metadata and public
addresses alike are this program's. Nothing outside can be reached from it. Prints what came of it as JSON.

Where the system allows no namespaces it is started with `--stand-in`: then 127.0.0.2 stands for a private address, and where a public one
is needed it is 127.0.0.1, with the policy that allows loopback.
"""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from plugin_framework.sdk.net import DestinationRefused, DestinationUnreachable, HttpClient, NetworkError, NetworkPolicy
from tests.integration.net import hostile
from tests.integration.net.receivers import records

PORT = 80
PUBLIC = ("8.8.8.8", "93.184.215.14", "2606:4700::1111")
HIDDEN = ("127.0.0.1", "::1", "10.77.0.7", "192.168.77.7", "169.254.169.254", "fd00::7")
STAND_IN = ("127.0.0.1", "::1", "127.0.0.2")
RUNS = 50


class Everywhere:
    """A web server at one port of every address; `seen` counts the connections by the address they were made to.

    Args:
        hosts: the addresses, if not all that there are. `port`: 0 for one that is free.
    """

    def __init__(self, hosts: Sequence[str] = ("", "::"), port: int = PORT) -> None:
        self.seen: Counter[str] = Counter()
        self.location = ""  # where it sends whoever asks
        self.port = port
        for host in hosts:
            listener = socket.create_server(
                (host, self.port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
            )
            self.port = listener.getsockname()[1]
            threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            sock, _ = listener.accept()
            self.seen[sock.getsockname()[0].removeprefix("::ffff:")] += 1
            with sock:
                sock.recv(65536)
                head = f"HTTP/1.1 302 x\r\nLocation: {self.location}\r\n" if self.location else "HTTP/1.1 200 OK\r\n"
                sock.sendall(f"{head}Content-Length: 0\r\n\r\n".encode())

    def take(self) -> dict[str, int]:
        """The connections since the last time."""
        found, self.seen = dict(self.seen), Counter()
        return found


def claim_every_address() -> None:
    """Make all of IPv4 and IPv6 local to this namespace."""
    for command in ("link set lo up", "route add local 0.0.0.0/0 dev lo", "-6 route add local ::/0 dev lo"):
        subprocess.run(["ip", *command.split()], check=True)


def client(resolver: Any, **policy: Any) -> HttpClient:
    """As a plugin gets it, with plain HTTP, so that a request is heard and not only a knock."""
    return HttpClient(NetworkPolicy(allow_http=True, **policy), resolver=resolver)


def ask(http: HttpClient, url: str) -> str:
    """What comes of one request, in a word."""
    try:
        http.post(url, json={})
    except (DestinationRefused, DestinationUnreachable):
        return "refused"
    except NetworkError as error:
        return type(error).__name__
    return "answered"


def knock(address: str, port: int) -> None:
    """Connect past the guard."""
    with socket.create_connection((address, port)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        sock.recv(100)


def rebinding(answers: Sequence[Sequence[str]], everywhere: Everywhere, **policy: Any) -> dict[str, Any]:
    """`RUNS` requests, while DNS gives another of these answers each time it is asked."""
    turns = itertools.cycle(answers)
    asked = 0

    def resolver(host: str, port: int, **_options: Any) -> list[tuple[Any, ...]]:
        nonlocal asked
        asked += 1
        return records(tuple(next(turns)), port)

    http = client(resolver, extra_ports=frozenset({everywhere.port}), **policy)
    results = Counter(ask(http, f"http://rebind.test:{everywhere.port}/") for _ in range(RUNS))
    return {"results": results, "asked": asked, "seen": everywhere.take()}


def redirects(starts: Sequence[str], ends: Sequence[str], everywhere: Everywhere, **policy: Any) -> dict[str, Any]:
    """Hosts that may be asked and lead to each of `ends`."""
    port = everywhere.port
    http = client(hostile.resolver, extra_ports=frozenset({port}), **policy)
    results: Counter[str] = Counter()
    for start, end in itertools.product(starts, ends):
        for everywhere.location in (
            f"http://{bracketed(end)}:{port}/",
            f"//{bracketed(end)}:{port}/latest/",
            f"http://a.test:{port}/",
        ):
            results[ask(http, f"http://{bracketed(start)}:{port}/")] += 1
    everywhere.location = ""
    return {"from": starts, "each": 3 * len(ends), "results": results, "seen": everywhere.take()}


def bracketed(address: str) -> str:
    """As it stands in a URL."""
    return f"[{address}]" if ":" in address else address


def known(host: str, port: int, **options: Any) -> list[tuple[Any, ...]]:
    """As `hostile.resolver`, and good.test is a public host."""
    if host == "good.test":
        return records((PUBLIC[0],), port)
    return hostile.resolver(host, port, **options)


def corpus(everywhere: Everywhere) -> dict[str, Any]:
    """Every hostile URL, with the port and, where that is the usual one, without."""
    port = everywhere.port
    urls = hostile.urls(port)
    urls = list(dict.fromkeys([*urls, *(url.replace(f":{port}", "") for url in urls if port == PORT)]))
    http = client(hostile.resolver if everywhere.port != PORT else known, extra_ports=frozenset({port}))
    answers = {url: ask(http, url) for url in urls}
    through = [url for url, answer in answers.items() if answer != "refused"]
    return {"urls": len(urls), "through": through, "seen": everywhere.take()}


def main(stand_in: bool) -> None:
    """Claim the addresses, try everything, say what was seen."""
    if not stand_in:
        claim_every_address()
    everywhere = Everywhere(STAND_IN, 0) if stand_in else Everywhere()
    hidden = STAND_IN if stand_in else HIDDEN
    for address in hidden if stand_in else (*PUBLIC, *hidden):
        knock(address, everywhere.port)
    report: dict[str, Any] = {"stand-in": stand_in, "control": everywhere.take()}
    loopback = {"allow_loopback": stand_in}
    public = STAND_IN[:1] * 2 if stand_in else PUBLIC[1:]
    turns = [[public[0]], ["fd00::7"], [public[1]], ["169.254.169.254"], ["10.77.0.7"] if stand_in else ["127.0.0.1"]]
    report["first then"] = rebinding(turns, everywhere, **loopback)
    starts, ends = (STAND_IN[:1], STAND_IN) if stand_in else (PUBLIC, (*HIDDEN, PUBLIC[0]))
    report["redirects"] = redirects(starts, ends, everywhere, **loopback)
    report["both at once"] = rebinding([[PUBLIC[0], each] for each in hidden], everywhere)
    report["corpus"] = corpus(everywhere)
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main("--stand-in" in sys.argv)
