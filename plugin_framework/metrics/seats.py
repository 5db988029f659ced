"""The files in which processes count: one process to a file, chosen by a lock that the kernel takes back when the process is gone.

A number of a process would not do: two containers that share the folder have the same ones, and files of the dead would pile up
until reading them takes longer than a scrape may. A seat is taken over by the next process, which counts on from where it stands.
The numbers are in memory that the kernel keeps: a process that is killed leaves what it had counted, and nothing half written.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import mmap
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from plugin_framework.metrics.names import COUNTED

BLOCK = 64 * 1024  # bytes by which a file grows; written out, for a page that finds the disk full kills its process
RECORD = 512  # bytes: a key, and numbers of 8 bytes each
_KEY = 320
NUMBERS = (RECORD - _KEY) // 8
MOST_SEATS = 10_000
_HEADER = hashlib.sha256(repr([(each.name, each.labels, each.bounds) for each in COUNTED]).encode()).digest()

type Key = tuple[str, tuple[str, ...]]  # a metric's name, and its labels' values


class Seat:
    """A file that is this process's own for as long as it lives. Not for two threads at a time."""

    def __init__(self, folder: Path) -> None:
        """Take the first free one in `folder`.

        Raises:
            OSError: the folder or the disk does not let us.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._file = _free(folder)
        self._memory: list[mmap.mmap] = []
        self._numbers: dict[Key, memoryview[float]] = {}
        self._used = 1  # records; the first one is the header
        size = os.fstat(self._file).st_size
        if size < BLOCK or size % BLOCK or os.pread(self._file, len(_HEADER), 0) != _HEADER:
            os.ftruncate(self._file, 0)  # new, or of another version, whose numbers mean something else
            self._grow()
            self._memory[0][: len(_HEADER)] = _HEADER
        else:
            self._memory = [self._mapped(at) for at in range(0, size, BLOCK)]
            for at, key in _keys(os.pread(self._file, size, 0)):
                self._numbers[key] = self._at(at)
                self._used = at // RECORD + 1

    def numbers(self, key: Key) -> memoryview[float]:
        """Those kept under `key`, made with zeros if they are not there; NUMBERS of them, to be changed in place."""
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = self._add(json.dumps(key, separators=(",", ":")).encode())
        return found

    def close(self) -> None:
        """Let another process have it. In a child that was forked this leaves the parent's lock alone."""
        os.close(self._file)

    def _add(self, key: bytes) -> memoryview[float]:
        if len(key) > _KEY:
            raise ValueError(f"The labels of a metric are too long to be kept: {key!r}")
        at = self._used * RECORD
        if at == len(self._memory) * BLOCK:
            self._grow()
        memory, place = self._memory[at // BLOCK], at % BLOCK
        memory[place + 1 : place + len(key)] = key[1:]
        memory[place : place + 1] = key[:1]  # last: with its first byte a record is there, for whoever reads meanwhile
        self._used += 1
        return self._at(at)

    def _at(self, at: int) -> memoryview[float]:
        start = at % BLOCK + _KEY
        return memoryview(self._memory[at // BLOCK])[start : start + NUMBERS * 8].cast("d")

    def _grow(self) -> None:
        at = len(self._memory) * BLOCK
        os.pwrite(self._file, bytes(BLOCK), at)
        self._memory.append(self._mapped(at))

    def _mapped(self, at: int) -> mmap.mmap:
        return mmap.mmap(self._file, BLOCK, offset=at)


def _free(folder: Path) -> int:
    for number in range(MOST_SEATS):
        file = os.open(folder / f"seat-{number:04}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        os.close(file)
    raise OSError(f"{folder} has no free place for another process's counts.")


def read(folder: Path) -> dict[Key, list[float]]:
    """What all processes have counted in `folder`, added up; empty if there is none."""
    totals: dict[Key, list[float]] = {}
    for path in sorted(folder.glob("seat-*")):
        for key, numbers in _records(path.read_bytes()):
            mine = totals.setdefault(key, [0.0] * NUMBERS)
            totals[key] = [a + b for a, b in zip(mine, numbers, strict=True)]
    return totals


def _records(content: bytes) -> Iterator[tuple[Key, memoryview[float]]]:
    if content[: len(_HEADER)] == _HEADER:
        for at, key in _keys(content):
            yield key, memoryview(content)[at + _KEY : at + _KEY + NUMBERS * 8].cast("d")


def _keys(content: bytes) -> Iterator[tuple[int, Key]]:
    for at in range(RECORD, len(content) - len(content) % RECORD, RECORD):
        if content[at] == 0:
            return
        name, labels = json.loads(content[at : at + _KEY].rstrip(b"\0"))
        yield at, (name, tuple(labels))
