"""Opens an archive and believes nothing in it before its signature was checked."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from plugin_framework.settings_store import box
from tenants.archive.format import MANIFEST, MOST_MANIFEST, SIGNATURE, BadArchive, Manifest, Member, from_json
from tenants.archive.members import DAMAGED, Reading

_MOST_SIGNATURE = 1024  # bytes
_NOT_OURS = (
    "It was not made by this installation, or it was changed since; "
    "or the key that it was made with is not among SECRETS_KEYS any more."
)


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that this installation has made."""

    manifest: Manifest
    _zip: zipfile.ZipFile

    def open(self, member: Member) -> Reading:
        """Read a member."""
        return Reading(self._zip, member)

    def verify(self) -> None:
        """Read all of it once, so that whatever is damaged is found before anything is done.

        Raises:
            BadArchive: something is.
        """
        for member in self.manifest.members():
            with self.open(member) as reading:
                while reading.read():
                    pass


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The archive in the file `path`.

    Raises:
        BadArchive: there is no such file, it is not an archive, a part of it is missing, or it is not ours.
    """
    try:
        file = zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise BadArchive("There is no such file.") from error
    except (IsADirectoryError, PermissionError) as error:
        raise BadArchive(f"It cannot be read: {error.strerror}.") from error
    except DAMAGED as error:
        raise BadArchive("It is not an archive of an organisation, or a part of it is missing.") from error
    with file:
        text = _small(file, MANIFEST, MOST_MANIFEST)
        signature = _small(file, SIGNATURE, _MOST_SIGNATURE).decode("utf-8", "replace")
        if not box().is_signed(text, signature):
            raise BadArchive(_NOT_OURS)
        manifest = from_json(text)
        wanted = sorted([MANIFEST, SIGNATURE, *(member.name for member in manifest.members())])
        if sorted(file.namelist()) != wanted:
            raise BadArchive("Its parts are not those that its manifest names.")
        yield Archive(manifest, file)


def _small(file: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A member that is read whole, and has a limit for that: its own word for its length is not taken."""
    try:
        with file.open(name) as stream:
            data = stream.read(most + 1)
    except KeyError as error:
        raise BadArchive("It is not an archive of an organisation: it has no manifest.") from error
    except DAMAGED as error:
        raise BadArchive(f"Its {name} is damaged.") from error
    if len(data) > most:
        raise BadArchive(f"Its {name} is longer than any that Tenantry makes.")
    return data
