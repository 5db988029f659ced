"""Writes and reads the members of an archive, a block at a time, with their lengths and checksums."""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Protocol

from tenants.archive.format import BLOCK, BadArchive, Member

# What `zipfile` raises where the bytes are not what they were.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
)


class Part(Protocol):
    """A member that is being written."""

    def write(self, data: bytes) -> None:
        """Append to it."""

    @property
    def member(self) -> Member:
        """What was written so far."""


class _Part:
    def __init__(self, name: str, stream: IO[bytes]) -> None:
        self._name, self._stream = name, stream
        self._digest, self._size = hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        self._digest.update(data)
        self._size += len(data)
        self._stream.write(data)

    @property
    def member(self) -> Member:
        return Member(self._name, self._size, self._digest.hexdigest())


@contextmanager
def writing(archive: zipfile.ZipFile, name: str) -> Iterator[Part]:
    """A new member called `name`."""
    info = zipfile.ZipInfo(name)  # without a date of its own: equal contents make equal members
    info.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=True) as stream:
        yield _Part(name, stream)


class Reading:
    """A member that is being read. The read that finds its end checks that it was what the manifest says."""

    def __init__(self, archive: zipfile.ZipFile, member: Member) -> None:
        self._member, self._digest, self._size = member, hashlib.sha256(), 0
        self._wrong = f"{member.name} is damaged"
        try:
            self._stream = archive.open(member.name)
        except (KeyError, *DAMAGED) as error:
            raise BadArchive(f"{self._wrong}: {error}.") from error

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()

    def read(self, size: int = BLOCK) -> bytes:
        """The next bytes; none at the end.

        Raises:
            BadArchive: its bytes, or their number, are not what the manifest says.
        """
        try:
            data = self._stream.read(min(size, BLOCK) if size > 0 else BLOCK)
        except DAMAGED as error:
            raise BadArchive(f"{self._wrong}: {error}.") from error
        self._digest.update(data)
        self._size += len(data)
        if self._size > self._member.size or (not data and not self._is_whole()):
            raise BadArchive(f"{self._wrong}: its bytes are not those that were written.")
        return data

    def _is_whole(self) -> bool:
        return self._size == self._member.size and self._digest.hexdigest() == self._member.sha256
