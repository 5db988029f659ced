"""Files are had at their own organisation's host, by people who are signed in there, while their plugin runs; and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import models
from django.test import Client
from django.test.utils import isolate_apps

from plugin_framework import checks, configuration, files, lifecycle, purge
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import person
from tests.conftest import Tenants

CANARIES = {"acme": f"acme-{token_hex(16)}", "globex": f"globex-{token_hex(16)}"}


def keep(ref: TenantRef, where: str = "canary/note.txt") -> str:
    with tenant_scope(ref):
        return default_storage.save(where, ContentFile(CANARIES[ref.slug].encode()))


@pytest.fixture
def both(tenants: Tenants) -> Tenants:
    for ref in (tenants.acme, tenants.globex):
        with tenant_scope(ref):
            configuration.configure("canary", SYSTEM, {"canary": ref.slug})
            lifecycle.enable("canary", SYSTEM)
    return tenants


@pytest.fixture
def member(both: Tenants, client_for: Callable[..., Client]) -> Client:
    return client_for(both.acme, person(both.acme, "member"))


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else bytes(response.content)


def test_a_member_saves_it_and_no_browser_would_show_it(both: Tenants, member: Client) -> None:
    name = keep(both.acme)
    answer = member.get(f"/files/{name}")
    assert (answer.status_code, body(answer)) == (200, CANARIES["acme"].encode())
    assert answer["Content-Disposition"] == f'attachment; filename="{name.rpartition("/")[2]}"'
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("spelling", ["{name}", "../{schema}/{name}", "canary/../../{schema}/{name}", "%2e%2e/{schema}/{name}",
    "..%2f{schema}%2f{name}", "/{root}/{schema}/{name}", "%00{name}", "{name}%00", "canary\\..\\..\\{schema}\\{name}",
    "%252e%252e/{schema}/{name}", "./{name}", "canary//{base}", "{schema}/{name}"])  # fmt: skip
def test_a_file_of_the_neighbour_is_not_there_however_it_is_spelt(
    both: Tenants, member: Client, media_root: Path, spelling: str
) -> None:
    name = keep(both.globex)
    keep(both.acme)
    path = spelling.format(name=name, schema=both.globex.schema, root=media_root, base=name.rpartition("/")[2])
    answer = member.get(f"/files/{path}")
    assert answer.status_code == 404
    assert CANARIES["globex"].encode() not in body(answer)


def test_whoever_is_not_signed_in_here_does_not_get_it(both: Tenants, client_for: Callable[..., Client]) -> None:
    name = keep(both.acme)
    stranger = client_for(both.globex, person(both.globex, "owner"))
    stranger.defaults["HTTP_HOST"] = both.acme.host
    for client in (client_for(both.acme), stranger):
        answer = client.get(f"/files/{name}")
        assert answer["Location"].startswith("/accounts/login/")
    for host in ("localhost", "admin.localhost"):
        client.defaults["HTTP_HOST"] = host
        assert client.get(f"/files/{name}").status_code == 404


def test_the_files_of_a_plugin_that_does_not_run_are_not_had(both: Tenants, member: Client) -> None:
    name, of_nobody = keep(both.acme), keep(both.acme, "note.txt")
    assert member.get(f"/files/{of_nobody}").status_code == 404
    with tenant_scope(both.acme):
        lifecycle.disable("canary", SYSTEM)
    assert member.get(f"/files/{name}").status_code == 404
    with tenant_scope(both.acme):
        assert default_storage.exists(name)


def test_purging_a_plugin_deletes_its_files_here_and_nowhere_else(
    both: Tenants, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    keep(both.acme)
    kept = {keep(both.acme, "orders/x.txt")}
    theirs = {keep(both.globex)}
    with tenant_scope(both.acme):
        lifecycle.disable("canary", SYSTEM)
        assert purge.preview("canary").files == 1
        with django_capture_on_commit_callbacks(execute=True):
            purge.purge("canary", SYSTEM, confirmation="canary")
    assert {name for name, _ in files.walk(both.acme.schema)} == kept
    assert {name for name, _ in files.walk(both.globex.schema)} == theirs


@isolate_apps("plugins.orders_plugin")
def test_a_plugin_that_keeps_files_in_anothers_folder_is_an_error() -> None:
    class Good(models.Model):  # noqa: DJ008  # nobody looks at a row
        file = models.FileField(upload_to="orders/bills/")

        class Meta:
            app_label = "orders_plugin"

    class Bad(models.Model):  # noqa: DJ008  # the same
        file = models.FileField(upload_to="invoices/")

        class Meta:
            app_label = "orders_plugin"

    config = Good._meta.apps.get_app_config("orders_plugin")
    assert [str(each.msg).split(" ")[0] for each in checks.misplaced_files("orders", config)] == [
        "orders_plugin.Bad.file"
    ]
