"""Files of a tenant: where they are, what they are called, and what leads nowhere."""

from __future__ import annotations

import io
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from plugin_framework import files
from plugin_framework.sdk import NoTenant
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope

ACME = TenantRef("acme", "Acme", "acme.localhost", "t_aaaaaaaaaaaaaaaaaaaa")
GLOBEX = TenantRef("globex", "Globex", "globex.localhost", "t_bbbbbbbbbbbbbbbbbbbb")
LEADING_ELSEWHERE = [
    f"../{GLOBEX.schema}/orders/x",
    f"orders/../../{GLOBEX.schema}/x",
    f"/{GLOBEX.schema}/x",
    "/etc/passwd",
    "orders/x\0.txt",
    "orders\\..\\x",
    "orders//x",
    "orders/./x",
    ".hidden/x",
    "orders/.hidden",
    "~root/x",
    "-x",
    "orders/x\n",
    "a/%2e%2e/x",
    "..",
    "orders/..",
]


@pytest.fixture(autouse=True)
def uncounted(settings: Settings) -> None:
    """The storage by itself: `CountedStorage` asks the tenant's plan, in the database."""
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "plugin_framework.files.TenantStorage"}}


@pytest.fixture
def acme(media_root: Path) -> Iterator[Path]:
    with tenant_scope(ACME):
        yield media_root / ACME.schema


def text(content: str = "canary") -> ContentFile[bytes]:
    return ContentFile(content.encode())


def read(name: str) -> bytes:
    with default_storage.open(name) as file:
        return bytes(file.read())


def test_a_file_is_kept_in_its_tenants_folder_under_a_random_name(acme: Path) -> None:
    name = default_storage.save("orders/bill of ada.PDF", text())
    assert re.fullmatch(r"orders/[0-9a-f]{40}\.pdf", name)
    assert (acme / name).read_text() == "canary"
    assert read(name) == b"canary"
    assert name != default_storage.save("orders/bill of ada.PDF", text())
    assert default_storage.url(name) == f"/files/{name}"


@pytest.mark.parametrize("given", ["page.html", "image.svg", "x.js", "x.pdf.html", "x.py", "x.exe", "x.", "x", "ж.☃"])
def test_no_ending_is_kept_that_a_browser_might_run(acme: Path, given: str) -> None:
    assert re.fullmatch(r"orders/[0-9a-f]{40}", default_storage.save(f"orders/{given}", text()))


@pytest.mark.parametrize("upload", [SimpleUploadedFile, TemporaryUploadedFile])
def test_uploads_are_readable_for_us_alone(acme: Path, upload: type) -> None:
    if upload is TemporaryUploadedFile:
        file = TemporaryUploadedFile("x.txt", "text/plain", 6, "utf-8")
        file.write(b"canary")
        file.seek(0)
    else:
        file = SimpleUploadedFile("x.txt", b"canary")
    path = acme / default_storage.save("orders/x.txt", file)
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent, acme)]
    assert modes == [0o600, 0o700, 0o700]


def test_a_tenant_neither_finds_nor_removes_a_file_of_another(acme: Path) -> None:
    name = default_storage.save("orders/x.txt", text())
    with tenant_scope(GLOBEX):
        assert not default_storage.exists(name)
        default_storage.delete(name)
        with pytest.raises(FileNotFoundError):
            default_storage.open(name)
    assert default_storage.exists(name)
    default_storage.delete(name)
    assert not default_storage.exists(name)


@pytest.mark.parametrize("name", LEADING_ELSEWHERE)
def test_a_name_that_leads_elsewhere_is_refused_by_everything(acme: Path, name: str) -> None:
    (acme.parent / GLOBEX.schema / "orders").mkdir(parents=True)
    (acme.parent / GLOBEX.schema / "orders" / "x").write_text("canary of globex")
    for use in (
        default_storage.open,
        default_storage.exists,
        default_storage.size,
        default_storage.delete,
        default_storage.listdir,
        default_storage.url,
        default_storage.path,
        lambda name: files.put(ACME.schema, name, io.BytesIO(b"x")),
        lambda name: files.remove_all(ACME.schema, name),
        lambda name: list(files.walk(ACME.schema, name)),
    ):
        with pytest.raises(SuspiciousFileOperation):
            use(name)
    assert (acme.parent / GLOBEX.schema / "orders" / "x").read_text() == "canary of globex"


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(folder=st.text(alphabet="a./\\~-%\0\n…", max_size=12), name=st.text(max_size=12))
def test_whatever_it_is_called_it_lands_in_its_own_folder_or_nowhere(acme: Path, folder: str, name: str) -> None:
    try:
        saved = default_storage.save(f"{folder}/{name}", text())
    except SuspiciousFileOperation:
        return
    path = Path(default_storage.path(saved))
    assert path.resolve().is_relative_to(acme.resolve())
    assert path.is_file()


def test_a_link_that_leads_out_is_not_followed(acme: Path) -> None:
    elsewhere = acme.parent / GLOBEX.schema
    elsewhere.mkdir(parents=True)
    (elsewhere / "x").write_text("canary of globex")
    acme.mkdir()
    (acme / "linked").symlink_to(elsewhere)
    (acme / "file").symlink_to(elsewhere / "x")
    for name in ("linked/x", "file"):
        with pytest.raises(SuspiciousFileOperation):
            default_storage.open(name)
    assert [name for name, _ in files.walk(ACME.schema)] == []


def test_without_a_tenant_there_are_no_files(media_root: Path) -> None:
    with tenant_scope(ACME):
        name = default_storage.save("orders/x.txt", text())
    for use in (
        lambda: default_storage.save("orders/x.txt", text()),
        lambda: default_storage.open(name),
        lambda: default_storage.exists(name),
        lambda: default_storage.delete(name),
        lambda: default_storage.listdir(""),
        lambda: default_storage.url(name),
        lambda: default_storage.size(name),
    ):
        with pytest.raises(NoTenant):
            use()
        with public_scope(), pytest.raises(NoTenant):
            use()


def test_a_thread_of_its_own_has_no_files(acme: Path) -> None:
    name, met = default_storage.save("orders/x.txt", text()), []

    def look() -> None:
        try:
            default_storage.open(name)
        except NoTenant as error:
            met.append(error)

    thread = Thread(target=look)
    thread.start()
    thread.join()
    assert len(met) == 1


def test_a_name_too_long_for_its_field_is_refused_instead_of_cut(acme: Path) -> None:
    with pytest.raises(SuspiciousFileOperation, match="max_length"):
        default_storage.save("orders/x.txt", text(), max_length=30)


def test_all_files_of_a_tenant_are_counted_walked_and_removed(acme: Path) -> None:
    assert (files.usage(ACME.schema), list(files.walk(ACME.schema))) == (0, [])
    names = {default_storage.save(f"{each}/x.txt", text()) for each in ("orders", "orders/old", "invoices")}
    with tenant_scope(GLOBEX):
        kept = default_storage.save("orders/x.txt", text("canary of globex"))
    assert files.usage(ACME.schema) == 3 * len("canary")
    assert {name for name, _ in files.walk(ACME.schema)} == names
    files.remove_all(ACME.schema, "orders")
    assert {name.partition("/")[0] for name, _ in files.walk(ACME.schema)} == {"invoices"}
    files.remove_all(ACME.schema)
    files.remove_all(ACME.schema)
    assert sorted(each.name for each in acme.parent.iterdir()) == [GLOBEX.schema]
    with tenant_scope(GLOBEX):
        assert read(kept) == b"canary of globex"


def test_what_a_killed_removal_has_left_goes_with_the_next(acme: Path) -> None:
    default_storage.save("orders/x.txt", text())
    acme.rename(acme.parent / f".leaving-{ACME.schema}-0")
    files.remove_all(ACME.schema)
    assert list(acme.parent.iterdir()) == []


@pytest.mark.parametrize("schema", ["", ".", "..", "/", "t_a/../t_b", "T_A", "t_a\n"])
def test_what_is_no_schema_has_no_folder(media_root: Path, schema: str) -> None:
    for use in (files.folder, files.usage, files.remove_all):
        with pytest.raises(SuspiciousFileOperation):
            use(schema)


def test_a_restored_file_has_its_old_name(acme: Path) -> None:
    name = default_storage.save("orders/x.txt", text())
    files.put(GLOBEX.schema, name, io.BytesIO((acme / name).read_bytes()))
    with tenant_scope(GLOBEX):
        assert read(name) == b"canary"
    with pytest.raises(FileExistsError):
        files.put(GLOBEX.schema, name, io.BytesIO(b"other"))
