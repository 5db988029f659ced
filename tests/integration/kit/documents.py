"""Reads a tutorial as a list of steps: files that it has the reader write, commands, and what these are said to print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"`([^`\s]+)`:\s*\Z")


@dataclass(frozen=True, slots=True)
class File:
    """Something to write, below the folder in which the commands run."""

    line: int
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """Something to run. `said`: what it is said to print, None if nothing is said of that."""

    line: int
    text: str
    said: str | None
    fails: bool


class NotAStep(ValueError):
    """A code block that is neither a file nor commands: the reader could not follow it, and no test would run it."""


def steps(text: str) -> Iterator[File | Command]:
    """All steps of a document, in order.

    Raises:
        NotAStep: a block is no step; the text names its line.
    """
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        language, *more = match["info"].split() or [""]
        named = _NAMED.search(text[: match.start()])
        if language == "console":
            yield from _commands(line, match["body"], "fails" in more)
        elif named is not None:
            yield File(line, named[1], match["body"])
        else:
            raise NotAStep(f"The block in line {line} is neither commands nor a file: put `path`: in front of it.")


def _commands(line: int, body: str, fails: bool) -> Iterator[Command]:
    found = [part for part in re.split(r"^\$ ", body, flags=re.MULTILINE) if part]
    for part in found:
        text, _, said = part.partition("\n")
        yield Command(line, text, said or None, fails and part is found[-1])


def fits(said: str, printed: str) -> bool:
    """Whether `printed` is what was said: line by line, `…` standing for anything in a line, alone in one for any lines."""
    pattern = ""
    for line in said.rstrip("\n").split("\n"):
        pattern += r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r"[ ]*\n"
    return re.fullmatch(pattern, printed.rstrip("\n") + "\n") is not None
