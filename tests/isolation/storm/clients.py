"""Clients of the storm, as a process of their own: `python -m tests.isolation.storm.clients PLAN HISTORY`.

PLAN is a JSON object: `port`, `clients`, `requests`, `sign_ups`, `seed`, and `tenants` (slug, host). Each client keeps a connection
and asks one organisation after the other over it; some break off at any byte, some bring a cookie that another organisation gave.
What was asked and what came back is written to HISTORY, one JSON object a line; what is written there is all that `checker` knows.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.isolation.storm.marks import mark

# How often each is asked for, in a hundred; `wary/` is the page of the plugin that comes and goes.
MIX = {
    "see": 18, "file": 4, "cache": 10, "session": 10, "rollback": 7, "savepoints": 7, "raise": 4, "rude": 6, "reconnect": 2, "stream": 6,
    "thread": 3, "emit": 5, "unsay": 2, "enable": 2, "disable": 2, "wary": 5, "register": 2, "landing": 2, "stranger": 2, "new": 1,
}  # fmt: skip
CUT_OFF = 0.05  # of requests whose client breaks off: half of them while they are sent, half while they are answered
RECONNECT = 0.05
FOREIGN_COOKIE = 0.3  # of those that keep something in a session
PASSWORD = "a long pass phrase 7"
DEADLINE = 120  # seconds for one answer
SHORTEST = 400  # bytes: every answer has more, its head alone does
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.I)
_KEPT = re.compile(r'"kept": "([^"]+)"')
_SESSION = re.compile(r"\r\nset-cookie: *(sessionid=[^;\r]+)", re.I)


@dataclass(slots=True)
class Request:
    """One request: what it is for, whom it asks, and its bytes."""

    kind: str
    slug: str
    host: str
    target: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def wire(self, port: int) -> bytes:
        """As it is sent."""
        fields = {"Host": f"{self.host}:{port}", **self.headers}
        if self.body:
            fields["Content-Length"] = str(len(self.body))
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(slots=True)
class Shared:
    """What all clients share: the plan, what is left of it, the cookies they were given, the history."""

    plan: dict[str, Any]
    history: Any
    number: int = 0
    cookies: list[tuple[str, str]] = field(default_factory=list)  # (slug, cookie)
    files: list[str] = field(default_factory=list)  # names of files that organisations keep
    new: list[str] = field(default_factory=list)  # hosts of organisations that have signed up

    def next_number(self) -> int:
        """Of the next request."""
        self.number += 1
        return self.number

    def note(self, **line: Any) -> None:
        """Append to the history."""
        self.history.write(json.dumps(line) + "\n")


class Client:
    """One client and its connection."""

    def __init__(self, shared: Shared, seed: int) -> None:
        self.shared, self.chance = shared, random.Random(seed)
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def run(self) -> None:
        """Ask until enough was asked."""
        plan = self.shared.plan
        while self.shared.number < plan["requests"]:
            request = self._choose()
            cut = self.chance.random() < CUT_OFF and request.kind not in ("enable", "disable")
            await self.ask(request, cut=cut)
            if self.chance.random() < RECONNECT:
                self._hang_up()
        self._hang_up()

    def _choose(self) -> Request:
        tenant = self.chance.choice(self.shared.plan["tenants"])
        (kind,) = self.chance.choices(list(MIX), list(MIX.values()))
        if kind == "landing":
            return Request(kind, "", "localhost", "/")
        if kind == "stranger":
            return Request(kind, "", f"nobody-{self.chance.randrange(99)}.localhost", "/apps/nosy/see/")
        if kind == "new":  # where the plugin was never enabled
            host = self.chance.choice(self.shared.new or ["nobody.localhost"])
            return Request(kind, host.partition(".")[0], host, "/apps/nosy/see/")
        request = Request(
            kind, tenant["slug"], tenant["host"], f"/apps/{'wary' if kind == 'wary' else f'nosy/{kind}'}/"
        )
        if kind == "register":
            person = {"name": tenant["row"], "email": f"p{self.chance.getrandbits(60)}@{tenant['slug']}.example"}
            request.method, request.target, request.body = (
                "POST",
                "/register/",
                json.dumps({**person, "password": PASSWORD}).encode(),
            )
            request.headers = {"Content-Type": "application/json", "Accept": "application/json"}
        elif kind == "file" and self.shared.files:
            request.target += f"?file={self.chance.choice(self.shared.files[-200:])}"
        elif kind == "session":
            request.headers = self._cookie(tenant["slug"])
        return request

    def _cookie(self, slug: str) -> dict[str, str]:
        """One that this organisation gave to anybody, or one that another gave."""
        foreign = self.chance.random() < FOREIGN_COOKIE
        fitting = [cookie for owner, cookie in self.shared.cookies[-200:] if (owner != slug) is foreign]
        return {"Cookie": self.chance.choice(fitting)} if fitting else {}

    async def ask(self, request: Request, *, cut: bool = False) -> str:
        """Send one request, read the answer, and note both; the answer, or as much of it as came."""
        number = self.shared.next_number()
        request.target += f"{'&' if '?' in request.target else '?'}n={number}"
        line = {"number": str(number), "tenant": request.slug, "kind": request.kind, "cut": cut}
        answer, whole = b"", False
        try:
            async with asyncio.timeout(DEADLINE):
                answer, whole = await (self._broken_off(request) if cut else self._exchange(request))
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            line["broke"] = repr(error)
            self._hang_up()
        text = answer.decode("latin-1")
        status = int(text[9:12]) if whole else None
        self.shared.note(**line, status=status, text=text)
        if found := _SESSION.search(text):
            self.shared.cookies.append((request.slug, found[1]))
        if found := _KEPT.search(text):
            self.shared.files.append(found[1])
        return text

    async def _exchange(self, request: Request) -> tuple[bytes, bool]:
        reader, writer = await self._connected()
        writer.write(request.wire(self.shared.plan["port"]))
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        if b"\r\ntransfer-encoding: chunked" in lower:
            body = b"".join([part async for part in _chunks(reader)])
        elif found := _LENGTH.search(head):
            body = await reader.readexactly(int(found[1]))
        else:
            body = await reader.read()
        if b"\r\nconnection: close" in lower:
            self._hang_up()
        return head + body, True

    async def _broken_off(self, request: Request) -> tuple[bytes, bool]:
        """Break off at a byte of the request, or of the answer."""
        reader, writer = await self._connected()
        wire = request.wire(self.shared.plan["port"])
        answer = b""
        if self.chance.random() < 0.5:
            writer.write(wire[: self.chance.randrange(len(wire))])
            await writer.drain()
        else:
            writer.write(wire)
            await writer.drain()
            wanted = self.chance.randrange(SHORTEST)
            while len(answer) < wanted and (part := await reader.read(wanted - len(answer))):
                answer += part
        self._hang_up(reset=True)
        return answer, False

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.reader is None or self.writer is None or self.writer.is_closing() or self.reader.at_eof():
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.shared.plan["port"])
        return self.reader, self.writer

    def _hang_up(self, *, reset: bool = False) -> None:
        if self.writer is not None:
            if reset:
                linger = struct.pack("ii", 1, 0)  # an RST instead of an orderly end
                self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.writer.transport.abort()
            self.writer.close()
        self.reader = self.writer = None


async def _chunks(reader: asyncio.StreamReader) -> Any:
    while True:
        size = int(await reader.readuntil(b"\r\n"), 16)
        part = (await reader.readexactly(size + 2))[:-2]
        if not size:
            return
        yield part


async def sign_up(client: Client, number: int) -> None:
    """Sign an organisation up on the public host, with its name for a canary, and go there."""
    name, slug = mark(), f"fresh{number}x{client.shared.plan['seed']}"
    form = await client.ask(Request("form", "", "localhost", "/signup/"))
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', form)
    cookie = re.search(r"\r\nset-cookie: *(csrftoken=[^;\r]+)", form, re.I)
    if not token or not cookie:
        return  # the answer is in the history, and not what it should be
    client.shared.note(new=slug, mark=name)
    fields = {"organisation": name, "slug": slug, "name": name, "email": f"o{number}@{slug}.example"}
    body = urlencode({**fields, "password": PASSWORD, "csrfmiddlewaretoken": token[1]}).encode()
    headers = {"Cookie": cookie[1], "Content-Type": "application/x-www-form-urlencoded"}
    answer = await client.ask(Request("signup", slug, "localhost", "/signup/", "POST", headers, body))
    if not (where := _location(answer)):
        return
    host = f"{slug}.localhost"
    welcome = await client.ask(Request("welcome", slug, host, where))
    if found := _SESSION.search(welcome):
        await client.ask(Request("dashboard", slug, host, "/", headers={"Cookie": found[1]}))
        client.shared.new.append(host)


def _location(answer: str) -> str:
    found = re.search(r"\r\nlocation: *(\S+)", answer, re.I)
    parts = urlsplit(found[1]) if found else urlsplit("")
    return f"{parts.path}?{parts.query}" if parts.query else ""


async def newcomers(shared: Shared) -> None:
    """Sign up one organisation after the other, spread over the whole run."""
    wanted = shared.plan["sign_ups"]
    client = Client(shared, 0)
    for number in range(wanted):
        while shared.number < shared.plan["requests"] * number / wanted:
            await asyncio.sleep(0.05)
        await sign_up(client, number)


def seeds(plan: dict[str, Any]) -> Iterator[int]:
    """One for each client."""
    return (plan["seed"] * 10_000 + number for number in range(1, plan["clients"] + 1))


async def main(plan: dict[str, Any], history: Path) -> None:
    """Run them all to their end."""
    with history.open("w") as file:
        shared = Shared(plan, file)
        await asyncio.gather(newcomers(shared), *(Client(shared, seed).run() for seed in seeds(plan)))


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])))
