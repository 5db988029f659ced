"""An organisation's logo: three kinds of pictures, and nothing else, from its own files to its own host."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from plugin_framework import files
from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import tenant_scope
from tenants import logo
from tenants.operations import NotPossible
from tests.conftest import Tenants

PAGE = "/settings/organisation/"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 2, height: int = 2, *, more: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 14))
        + chunk(b"IEND", b"")
        + more
    )


def jpeg(width: int = 2, height: int = 2) -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + b"\0" * 9 + frame + b"\xff\xda\0\2x\xff\xd9"


def webp(width: int = 2, height: int = 2) -> bytes:
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0" * 4
    body += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(body)) + body


def send(client: Client, content: bytes, name: str = "logo.png") -> int:
    return client.post(f"{PAGE}logo/", {"logo": SimpleUploadedFile(name, content)}).status_code


@pytest.mark.parametrize(
    ("content", "kind"), [(png(), "png"), (jpeg(), "jpeg"), (webp(), "webp")], ids=["png", "jpeg", "webp"]
)
def test_a_picture_is_shown_to_everybody_at_this_host_and_to_nobody_at_another(
    admin: Client, anonymous: Client, tenants: Tenants, client_for: Callable[..., Client], content: bytes, kind: str
) -> None:
    assert send(admin, content, "whatever.exe") == 302
    page = admin.get(PAGE)
    address = page.text.partition('src="/logo/')[2].partition('"')[0]
    answer = anonymous.get(f"/logo/{address}")
    assert b"".join(answer.streaming_content) == content  # type: ignore[arg-type]  # bytes
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == (f"image/{kind}", "nosniff")
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none', ")
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    older = anonymous.get("/logo/?v=older")
    assert (older["Cache-Control"], len(b"".join(older.streaming_content))) == ("no-cache", len(content))  # type: ignore[arg-type]  # the same
    assert 'src="/logo/' in anonymous.get("/accounts/login/").text
    theirs = client_for(tenants.globex)
    assert theirs.get(f"/logo/{address}").status_code == 404
    assert 'src="/logo/' not in theirs.get("/accounts/login/").text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a\2\0\2\0\0\0\0;",
        png(more=b"<script>"),
        png().replace(b"IDAT", b"iDAT"),
        png()[:-4],
        png(0, 1),
        png(3000, 1),
        jpeg()[:-2],
        jpeg(1, 5000),
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff" + b"\0" * 50 + b"\xff\xd9",
        webp() + b"x",
        webp(4000, 1),
        b"RIFF\4\0\0\0WEBP",
        b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8L" + b"\0" * 14,
        b"x" * (logo.MOST_BYTES + 1),
        png()[:-12] + chunk(b"tEXt", b"x" * logo.MOST_BYTES) + png()[-12:],
    ],
    ids=range(18),
)
def test_what_is_no_small_picture_is_refused_and_nothing_is_kept(
    admin: Client, tenants: Tenants, content: bytes
) -> None:
    assert send(admin, content) == 400
    assert list(files.walk(tenants.acme.schema)) == []
    with tenant_scope(tenants.acme):
        assert not AuditEntry.objects.filter(action="tenant.logo_changed").exists()


def test_where_a_picture_is_refused_the_navigation_still_says_where_one_is(admin: Client) -> None:
    text = admin.post(f"{PAGE}logo/", {"logo": SimpleUploadedFile("logo.png", b"no picture")}).content.decode()
    assert re.findall(r'<a class="rail-link" href="([^"]*)" aria-current', text) == [PAGE]


def test_a_new_one_replaces_the_one_before_and_its_file(
    admin: Client, tenants: Tenants, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    for content in (png(), jpeg()):
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]  # a context manager
            send(admin, content)
    ((name, _path),) = files.walk(tenants.acme.schema)
    assert name.startswith("_organisation/")
    assert name.endswith(".jpg")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]  # the same
        assert admin.post(f"{PAGE}logo/remove/").status_code == 302
    assert list(files.walk(tenants.acme.schema)) == []
    assert admin.get("/logo/").status_code == 404
    assert admin.post(f"{PAGE}logo/remove/").status_code == 302


def test_it_cannot_be_had_as_a_plugins_file_and_a_member_cannot_change_it(
    admin: Client, member: Client, tenants: Tenants
) -> None:
    send(admin, png())
    ((name, _path),) = files.walk(tenants.acme.schema)
    assert admin.get(f"/files/{name}").status_code == 404
    assert send(member, jpeg()) == 403
    assert admin.post(f"{PAGE}logo/").status_code == 400
    assert admin.post(f"{PAGE}logo/", {"logo": "text"}).status_code == 400


def test_no_beginning_of_a_picture_is_taken_for_a_picture() -> None:
    for content in (png(), jpeg(), webp()):
        for length in range(len(content)):
            with pytest.raises(NotPossible):
                logo.kind_of(content[:length])
