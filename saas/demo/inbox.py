"""What arrived in the demo's sinks: one JSON object a line, appended by the sinks, read by the inbox pages."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.conf import settings
from django.utils import timezone

PLATFORM = "platform"  # the tenant of the platform's own mail: codes, resets


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that arrived."""

    tenant: str
    plugin: str
    kind: str  # "email" or "webhook"
    to: str
    subject: str
    text: str
    html: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    at: str = ""
    id: int = 0


def path() -> Path:
    """The file that holds the demo's inbox."""
    return Path(settings.DATA_DIR) / "demo" / "inbox.jsonl"


def append(message: Message) -> None:
    """Keep `message`; one write a line, so that two sinks never mix theirs."""
    target = path()
    target.parent.mkdir(parents=True, exist_ok=True)
    row = {**asdict(message), "at": timezone.now().isoformat(timespec="seconds")}
    del row["id"]
    descriptor = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, json.dumps(row).encode() + b"\n")
    finally:
        os.close(descriptor)


def messages(*, platform: bool) -> list[Message]:
    """All messages, newest first: the platform's own, or the organisations'."""
    found = [each for each in _read() if (each.tenant == PLATFORM) is platform]
    return found[::-1]


def message(number: int) -> Message | None:
    """The message with this number, or None."""
    return next((each for each in _read() if each.id == number), None)


def _read() -> Iterator[Message]:
    try:
        *lines, _ = path().read_bytes().split(b"\n")  # behind the last newline: nothing, or a line being written
    except FileNotFoundError:
        return
    for number, line in enumerate(lines, start=1):
        yield Message(**json.loads(line), id=number)
