"""An organisation's logo: a small picture in one of three formats that browsers show and none can run, in its own files."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from plugin_framework.audit import Actor, record
from plugin_framework.sdk._counts import Counted
from plugin_framework.tenancy import bound, current_tenant, public_scope
from tenants.models import Tenant
from tenants.operations import NotPossible, locked

FOLDER = "_organisation"  # no plugin is called so, so that its folder is nobody's else
MOST_BYTES = 256 * 1024
MOST_PIXELS = 2048  # on each side
KINDS = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
_PNG, _FRAMES = b"\x89PNG\r\n\x1a\n", frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_NO_PICTURE = gettext_noop(
    "This is no PNG, JPEG or WebP picture, or it is damaged. Save it anew in one of these formats."
)


def put(content: bytes, actor: Actor) -> None:
    """Make the picture `content` the current tenant's logo, from its next request on; the one before is removed.

    Raises:
        NotPossible: it is no picture that is taken; the text says what would be. QuotaExceeded: the plan has no room left.
    """
    ending = kind_of(content)
    name = default_storage.save(f"{FOLDER}/logo.{ending}", ContentFile(content))
    try:
        _change(name, actor, "tenant.logo_changed")
    except BaseException:
        default_storage.delete(name)
        raise


def remove(actor: Actor) -> None:
    """Have the current tenant without a logo again."""
    _change("", actor, "tenant.logo_removed")


def kind_of(content: bytes) -> str:
    """The ending of a picture that is taken.

    It is read as far as its size and its end: nothing stands behind that which another program could take for something else.

    Raises:
        NotPossible: it is another thing, or too large.
    """
    if len(content) > MOST_BYTES:
        raise NotPossible(
            gettext("The picture has more than %(most)s KB. Make it smaller.") % {"most": MOST_BYTES // 1024}
        )
    for ending, read in (("png", _png), ("jpg", _jpeg), ("webp", _webp)):
        with suppress(struct.error, IndexError, ValueError):
            if size := read(content):
                if not 0 < min(size) <= max(size) <= MOST_PIXELS:
                    raise NotPossible(
                        gettext("The picture has more than %(most)s pixels on a side. Make it smaller.")
                        % {"most": Counted(MOST_PIXELS)}
                    )
                return ending
    raise NotPossible(gettext(_NO_PICTURE))


def _change(name: str, actor: Actor, action: str) -> None:
    with transaction.atomic():
        tenant = locked(current_tenant().slug)
        if tenant.logo == name:
            return
        with public_scope():
            Tenant.objects.filter(pk=tenant.pk).update(logo=name)
        record(actor, action, tenant.slug)
        if tenant.logo:
            transaction.on_commit(bound(partial(default_storage.delete, tenant.logo)))


def _png(content: bytes) -> tuple[int, int] | None:
    if not content.startswith(_PNG):
        return None
    chunks = list(_png_chunks(content))
    if chunks[0][0] != b"IHDR" or b"IDAT" not in dict(chunks) or chunks[-1][0] != b"IEND":
        raise ValueError
    width, height = struct.unpack(">II", chunks[0][1][:8])
    return int(width), int(height)


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        data, check = content[at + 8 : at + 8 + length], content[at + 8 + length : at + 12 + length]
        if struct.unpack(">I", check)[0] != zlib.crc32(kind + data):
            raise ValueError
        at += 12 + length
        yield kind, data


def _jpeg(content: bytes) -> tuple[int, int] | None:
    if not content.startswith(b"\xff\xd8\xff"):
        return None
    if not content.endswith(b"\xff\xd9"):
        raise ValueError
    at = 2
    while True:
        mark, kind = content[at], content[at + 1]
        if mark != 0xFF:
            raise ValueError
        (length,) = struct.unpack(">H", content[at + 2 : at + 4])
        if kind in _FRAMES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return int(width), int(height)
        at += 2 + length


def _webp(content: bytes) -> tuple[int, int] | None:
    if not content.startswith(b"RIFF") or content[8:12] != b"WEBP":
        return None
    (length,) = struct.unpack("<I", content[4:8])
    if length + 8 != len(content):
        raise ValueError
    kind, body = content[12:16], content[20:]
    if kind == b"VP8X":
        return _three(body[4:7]) + 1, _three(body[7:10]) + 1
    if kind == b"VP8L" and body[0] == 0x2F:
        (bits,) = struct.unpack("<I", body[1:5])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return int(width) & 0x3FFF, int(height) & 0x3FFF
    raise ValueError


def _three(content: bytes) -> int:
    return int.from_bytes(content, "little")
