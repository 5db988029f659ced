"""A process that receives posts and writes each down before it answers: `python -m tests.faults.receiver PORT_FILE HISTORY`.

A post that says so is refused with 500 in its first attempt, so that there are retries.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path


async def serve(port_file: Path, history: Path) -> None:
    """Listen on loopback until killed."""
    file = history.open("ab", buffering=0)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            post = json.loads(await reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()  # whoever sent this was killed half-way: nothing has arrived
            return
        accepted = not (post["flaky"] and post["attempt"] == 1)
        file.write(json.dumps({**post, "accepted": accepted}).encode() + b"\n")
        writer.write(b"HTTP/1.1 %d -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % (200 if accepted else 500))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port_file.with_suffix(".new").write_text(str(server.sockets[0].getsockname()[1]))
    port_file.with_suffix(".new").rename(port_file)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2])))
