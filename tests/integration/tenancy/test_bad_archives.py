"""An archive that is damaged, cut, changed, foreign, hostile or too new gets one sentence, and changes nothing."""

from __future__ import annotations

import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from plugin_framework.audit import SYSTEM
from plugin_framework.db.migrator import migrate_schema_to
from plugin_framework.models import PluginSetting, PluginState
from plugin_framework.registry import registry
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from tenants import archive, behind
from tenants.accounts.models import User
from tenants.archive.reading import opened
from tenants.models import Domain, Tenant
from tenants.names import new_schema_name
from tests.conftest import Tenants
from tests.support.archives import manifest, member, normalised, nothing_changes, rewritten
from tests.support.lived_in import LivedIn, move_in
from tests.support.refused_tables import refuse_tables

DAMAGES = int(os.environ.get("DAMAGES", "150"))
type Change = Callable[[dict[str, Any], dict[str, bytes]], None]


@pytest.fixture
def lived(committed_db: str, tenants: Tenants) -> LivedIn:
    return move_in(tenants.acme)


@pytest.fixture
def file(lived: LivedIn, tmp_path: Path) -> Path:
    archive.export("acme", tmp_path / "acme.zip", SYSTEM)
    return tmp_path / "acme.zip"


def refusal(path: Path) -> str:
    with nothing_changes(), pytest.raises((archive.BadArchive, archive.CannotRestore)) as caught:
        archive.restore(path, SYSTEM, slug="again")
    sentence = str(caught.value)
    assert sentence.strip()
    assert "\n" not in sentence
    return sentence


def test_wherever_it_is_cut_or_a_bit_is_turned_it_is_refused_or_is_what_it_was(
    file: Path, tmp_path: Path, counted: Callable[[str, int], None]
) -> None:
    whole, chance, bad = file.read_bytes(), random.Random(5), tmp_path / "bad.zip"  # reproducible, not secret
    before, refused = normalised(file), 0
    for number in range(DAMAGES):
        if number % 3:
            at = chance.randrange(len(whole))
            bad.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << chance.randrange(8))]) + whole[at + 1 :])
        else:
            bad.write_bytes(whole[: chance.randrange(len(whole))])
        try:
            with opened(bad) as found:
                found.verify()
        except archive.BadArchive:
            refused += 1
        else:
            assert normalised(bad) == before  # it hit what means nothing, a date in a header
    assert refused > DAMAGES * 0.8
    counted("damages", DAMAGES)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "not an archive"), (b"no zip at all", "not an archive"), (b"PK\x05\x06" + b"\0" * 18, "has no manifest")],
)
def test_what_is_no_archive_is_told_apart(
    committed_db: str, tenants: Tenants, tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    assert sentence in refusal(path)
    assert "cannot be read" in refusal(tmp_path)


def test_one_of_another_installation_or_of_a_key_that_is_gone_is_refused(file: Path, settings: Settings) -> None:
    settings.SECRETS_KEYS = ["another installation's key, 32 characters"]
    assert "not made by this installation" in refusal(file)


def test_one_of_an_older_key_that_is_still_there_is_restored(file: Path, settings: Settings) -> None:
    settings.SECRETS_KEYS = ["a newer key of more than 32 characters", *settings.SECRETS_KEYS]
    assert archive.restore(file, SYSTEM, slug="again").unreadable == ()


def test_a_bomb_is_not_unpacked_before_its_signature_is_known(
    committed_db: str, tenants: Tenants, tmp_path: Path
) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb, bomb.open("manifest.json", "w") as stream:
        for _ in range(80):
            stream.write(b"\0" * 1024 * 1024)
    assert "longer than any" in refusal(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("manifest.json", b"{}")
        bomb.writestr("manifest.sig", b"v1:00000000:00")
        with bomb.open("data/x.copy", "w") as stream:
            for _ in range(300):
                stream.write(b"\0" * 1024 * 1024)
    assert "not made by this installation" in refusal(path)


# What somebody with the keys may have done to one: an older version, a newer one, or a fault of ours.


def _newer_format(found: dict[str, Any], parts: dict[str, bytes]) -> None:
    found["format"], found["version"] = 99, "9.0"


def _newer_tables(found: dict[str, Any], parts: dict[str, bytes]) -> None:
    found["migrations"].append(["plugin_framework", "0999_from_the_future"])


def _older_tables(found: dict[str, Any], parts: dict[str, bytes]) -> None:
    found["migrations"] = [each for each in found["migrations"] if each[0] != "accounts"]


def _lacks_something(found: dict[str, Any], parts: dict[str, bytes]) -> None:
    del found["sequences"]


def _lacks_a_part(found: dict[str, Any], parts: dict[str, bytes]) -> None:
    del parts["data/accounts_user.copy"]


def _has_a_part_more(found: dict[str, Any], parts: dict[str, bytes]) -> None:
    parts["data/more.copy"] = b""


def _other_rows(found: dict[str, Any], parts: dict[str, bytes]) -> None:
    parts["data/accounts_user.copy"] += parts["data/accounts_user.copy"]


def _rows_changed(found: dict[str, Any], parts: dict[str, bytes]) -> None:
    parts["data/accounts_user.copy"] = parts["data/accounts_user.copy"].replace(b"owner", b"OWNER")


def _another_column(found: dict[str, Any], parts: dict[str, bytes]) -> None:
    next(each for each in found["tables"] if each["name"] == "accounts_user")["columns"].append(["shoe", "integer"])


def _rows_that_do_not_fit(found: dict[str, Any], parts: dict[str, bytes]) -> None:
    data = parts["data/accounts_user.copy"] = b"nonsense\n"
    table = next(each for each in found["tables"] if each["name"] == "accounts_user")
    table["member"] = member("data/accounts_user.copy", data)


def _rows_of_nobody(found: dict[str, Any], parts: dict[str, bytes]) -> None:
    parts["data/accounts_user.copy"] = b""
    table = next(each for each in found["tables"] if each["name"] == "accounts_user")
    table["member"], table["rows"] = member("data/accounts_user.copy", b""), 0


def _a_file_elsewhere(found: dict[str, Any], parts: dict[str, bytes]) -> None:
    parts["files/../../evil.txt"] = b"evil"
    found["files"].append(member("files/../../evil.txt", b"evil"))


_SIGNED_BUT_WRONG: dict[str, tuple[Change, str]] = {
    "newer format": (_newer_format, "format 99, made by Tenantry 9.0"),
    "newer tables": (_newer_tables, "no migration plugin_framework.0999_from_the_future"),
    "older tables": (_older_tables, "would need these too: accounts.0001_initial"),
    "lacks something": (_lacks_something, "lacks something"),
    "lacks a part": (_lacks_a_part, "not those that its manifest names"),
    "has a part more": (_has_a_part_more, "not those that its manifest names"),
    "other rows": (_other_rows, "data/accounts_user.copy is damaged"),
    "rows changed": (_rows_changed, "data/accounts_user.copy is damaged"),
    "another column": (_another_column, "makes other tables than those in it: accounts_user"),
    "rows that do not fit": (_rows_that_do_not_fit, "rows of accounts_user do not fit"),
    "rows of nobody": (_rows_of_nobody, "rows do not fit together"),
    "a file elsewhere": (_a_file_elsewhere, "is not the name of a file"),
}


def test_whatever_is_wrong_with_it_has_its_sentence(file: Path, tmp_path: Path) -> None:
    said = {
        name: refusal(rewritten(file, tmp_path / f"{name}.zip", change))
        for name, (change, _) in _SIGNED_BUT_WRONG.items()
    }
    wanted = {name: sentence for name, (_, sentence) in _SIGNED_BUT_WRONG.items()}
    assert {name: sentence for name, sentence in wanted.items() if sentence not in said[name]} == {}, said
    assert not list(tmp_path.parent.rglob("evil.txt"))


def test_the_tables_of_a_plugin_that_is_not_installed_are_asked_for_or_left_in_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(registry.specs, "webhooks")
    assert "plugin webhooks" in refusal(file)
    with nothing_changes(), pytest.raises(archive.CannotRestore, match="nothing of nonesuch"):
        archive.restore(file, SYSTEM, slug="again", without=["nonesuch"])
    copy = archive.restore(file, SYSTEM, slug="again", without=["webhooks"]).ref
    with tenant_scope(copy):
        row = PluginState.objects.get(plugin="webhooks")
        assert (row.enabled, row.tables) == (False, [])
        assert PluginState.objects.filter(enabled=True).count() == 4
        assert PluginSetting.objects.filter(plugin_name="slack_notifications").exists()


def test_a_plugin_whose_migration_fails_is_named_and_all_else_can_be_restored(file: Path) -> None:
    refuse_tables("webhooks")
    said = refusal(file)
    assert "The migration webhooks_plugin.0001_initial failed (ProgrammingError)" in said
    assert "--without PLUGIN" in said
    copy = archive.restore(file, SYSTEM, slug="again", without=["webhooks"]).ref
    with tenant_scope(copy):
        assert PluginSetting.objects.filter(plugin_name="slack_notifications").exists()


def test_one_of_three_migrations_ago_is_restored_as_it_was_and_brought_up(file: Path, tmp_path: Path) -> None:
    own, foreign = (
        sorted(tuple(key) for key in manifest(file)["migrations"] if key[0] == app)
        for app in ("plugin_framework", "account")
    )
    newest = {*own[-2:], foreign[-1]}
    old = tenant_without(newest, file)
    with tenant_scope(old):
        User.objects.create_user("ada@old.example", "a long pass phrase 7")
    assert old.schema in behind.behind([old.schema])
    archive.export("old", tmp_path / "old.zip", SYSTEM)
    assert not newest & set(map(tuple, manifest(tmp_path / "old.zip")["migrations"]))
    copy = archive.restore(tmp_path / "old.zip", SYSTEM, slug="again").ref
    assert behind.behind([copy.schema]) == {}
    with tenant_scope(copy):
        assert User.objects.get().email == "ada@old.example"


def tenant_without(newest: set[tuple[str, ...]], like: Path) -> TenantRef:
    """A tenant as it was before these migrations, with no plugin."""
    ref = TenantRef(slug="old", name="Old", host="old.localhost", schema=new_schema_name())
    with public_scope(), transaction.atomic():
        tenant = Tenant.objects.create(slug=ref.slug, name=ref.name, schema_name=ref.schema)
        Domain.objects.create(domain=ref.host, tenant=tenant)
        from django.db import connection

        connection.cursor().execute(f'CREATE SCHEMA "{ref.schema}"')
        labels = {"plugin_framework", "accounts", "account", "auth", "sessions"}
        keys = [tuple(key) for key in manifest(like)["migrations"] if key[0] in labels and tuple(key) not in newest]
        with tenant_scope(ref):
            migrate_schema_to([(app, name) for app, name in keys])
    return ref
