"""Keeps each tenant's files in a folder of its own, under names that nobody can guess; Django's default storage.

A file is kept at ``MEDIA_ROOT/<schema>/<plugin>/<random name>``: code that saves and opens files as Django's documentation says gets
the current tenant's, and outside of a tenant nothing at all.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage
from django.utils._os import safe_makedirs
from django.utils.deconstruct import deconstructible

from plugin_framework.tenancy import current_tenant

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")  # of a name; none begins with a dot or a hyphen
_LEAVING = ".leaving-"  # before the name of a folder that is being removed
# Endings that are kept, so that a downloaded file opens with the right program. Nothing that a browser would run.
KINDS = frozenset(
    """
    7z bmp csv doc docx eml gif gz ics jpeg jpg json md mp3 mp4 odp ods odt ogg pdf png ppt pptx rtf tar tif tiff txt vcf wav webm
    webp xls xlsx zip
    """.split()
)


@deconstructible(path="plugin_framework.files.TenantStorage")
class TenantStorage(FileSystemStorage):
    """Django's file storage, inside of the current tenant's folder.

    `save` returns the name to remember: the folder it was given, and a random name instead of the one it was given.

    Raises:
        NoTenant: from every method, outside of a tenant. SuspiciousFileOperation: the name leads out of the tenant's folder.
    """

    @property
    def location(self) -> str:
        """The current tenant's folder."""
        return str(folder(current_tenant().schema))

    def path(self, name: str) -> str:
        """Where the file `name` of the current tenant is."""
        return str(_inside(folder(current_tenant().schema), name))

    def get_valid_name(self, name: str) -> str:
        """Whatever an upload is called is fine: nothing of it is used but its ending."""
        return f"file{_ending(name)}"

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """A random name in the folder that `name` names; of its last part only an ending from `KINDS` is kept."""
        where, slash, last = str(name).replace("\\", "/").rpartition("/")
        chosen = f"{where}{slash}{secrets.token_hex(20)}{_ending(last)}"
        if max_length is not None and len(chosen) > max_length:
            raise SuspiciousFileOperation(f"{chosen} is longer than the field's max_length, {max_length}: raise that.")
        self.path(chosen)  # refuses a folder that leads elsewhere
        return chosen

    def url(self, name: str | None) -> str:
        """Where people who are signed in here can get it, while the plugin whose folder it is in runs."""
        self.path(name or "")
        return super().url(name)


def folder(schema: str) -> Path:
    """The folder of a tenant's files; it may not exist yet.

    Raises:
        SuspiciousFileOperation: `schema` is no schema's name.
    """
    if not _SCHEMA.fullmatch(schema):
        raise SuspiciousFileOperation(f"{schema!r} is not the name of a tenant's schema.")
    return Path(settings.MEDIA_ROOT).absolute() / schema


def usage(schema: str) -> int:
    """Bytes in all files of a tenant; it looks at each of them."""
    return sum(path.stat().st_size for _, path in walk(schema))


def walk(schema: str, inside: str = "") -> Iterator[tuple[str, Path]]:
    """Every file of a tenant, or of its folder `inside`: its name, as `open` takes it, and where it is. Links are left out."""
    root = folder(schema)
    for at, folders, names in os.walk(_inside(root, inside)):
        folders.sort()
        for path in (Path(at, name) for name in sorted(names)):
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(root).as_posix(), path


def put(schema: str, name: str, content: BinaryIO) -> None:
    """Write a file of a tenant under the very `name` it had elsewhere, for restoring it; one that is there is an error."""
    path = _inside(folder(schema), name)
    safe_makedirs(path.parent, settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS, exist_ok=True)
    with path.open("xb") as file:
        path.chmod(settings.FILE_UPLOAD_PERMISSIONS)
        shutil.copyfileobj(content, file)


def remove_all(schema: str, inside: str = "") -> None:
    """Delete a tenant's files, or those in its folder `inside`; nothing to delete is fine. Killed half-way, run it again."""
    root = folder(schema)
    leaving = root.parent / f"{_LEAVING}{schema}-{secrets.token_hex(8)}"
    with suppress(FileNotFoundError):
        _inside(root, inside).rename(leaving)  # at once: nobody meets half of it
    for each in root.parent.glob(f"{_LEAVING}{schema}-*"):
        shutil.rmtree(each, onexc=_not_there)


def _not_there(function: Callable[..., Any], path: str, error: BaseException) -> None:
    """Two may remove the same folder; what else goes wrong is an error."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _ending(name: str) -> str:
    kind = PurePosixPath(name).suffix.lower().removeprefix(".")
    return f".{kind}" if kind in KINDS else ""


def _inside(root: Path, name: str) -> Path:
    """The path of `name` in `root`; what has parts that lead elsewhere, links included, is refused."""
    parts = name.split("/") if name else []
    path = root.joinpath(*parts)
    plain = all(_PART.fullmatch(part) for part in parts)
    if not plain or path.resolve() != root.parent.resolve().joinpath(root.name, *parts):
        raise SuspiciousFileOperation(f"{name!r} is not the name of a file of this organisation.")
    return path
