"""Secrets at rest: who can open them, who cannot, and what happens when keys change."""

from __future__ import annotations

import base64

import pytest

from plugin_framework.secrets import SecretBox, SecretUnreadable, key_id

OLD, NEW = "old-key-" + "o" * 32, "new-key-" + "n" * 32
MINE = {"tenant": "t_acme", "plugin": "mail", "field": "password"}
PLAIN = "s3cret – ü😀"


@pytest.fixture
def box() -> SecretBox:
    return SecretBox([OLD])


def test_what_was_sealed_opens_for_its_owner(box: SecretBox) -> None:
    sealed = box.seal(PLAIN, **MINE)
    assert PLAIN not in sealed
    assert box.open(sealed, **MINE) == PLAIN
    assert box.open(box.seal("", **MINE), **MINE) == ""


def test_the_same_secret_is_sealed_differently_each_time(box: SecretBox) -> None:
    assert box.seal(PLAIN, **MINE) != box.seal(PLAIN, **MINE)


@pytest.mark.parametrize(
    "other",
    [
        {"tenant": "t_globex"},
        {"plugin": "slack"},
        {"field": "token"},
        {"tenant": "mail", "plugin": "t_acme"},
        {"tenant": ""},
    ],
)
def test_a_ciphertext_copied_to_another_tenant_plugin_or_field_does_not_open_there(
    box: SecretBox, other: dict[str, str]
) -> None:
    with pytest.raises(SecretUnreadable):
        box.open(box.seal(PLAIN, **MINE), **{**MINE, **other})


def test_every_changed_byte_of_a_ciphertext_is_noticed(box: SecretBox) -> None:
    version, key, token = box.seal("x", **MINE).split(":")
    raw = base64.urlsafe_b64decode(token)
    for position in range(len(raw)):
        changed = raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :]
        with pytest.raises(SecretUnreadable):
            box.open(f"{version}:{key}:{base64.urlsafe_b64encode(changed).decode()}", **MINE)


@pytest.mark.parametrize(
    "sealed",
    ["", ":", "::", "v1", "v1:gone", "v1:{key}:", "v1:{key}:ü", "v2:{key}:x", "plain text", None, 7, {"v1": 1}, ["v1"]],
)
def test_what_is_no_ciphertext_is_refused_and_never_fails_otherwise(box: SecretBox, sealed: object) -> None:
    with pytest.raises(SecretUnreadable, match="enter the secret again"):
        box.open(sealed.format(key=key_id(OLD)) if isinstance(sealed, str) else sealed, **MINE)


def test_a_new_version_of_the_sealing_is_not_opened_by_an_older_program(box: SecretBox) -> None:
    with pytest.raises(SecretUnreadable):
        box.open(box.seal(PLAIN, **MINE).replace("v1:", "v2:"), **MINE)


def test_rotation_moves_a_secret_to_the_newest_key_and_the_old_key_can_go() -> None:
    sealed = SecretBox([OLD]).seal(PLAIN, **MINE)
    both = SecretBox([NEW, OLD])
    assert both.open(sealed, **MINE) == PLAIN
    assert both.needs_rotation(sealed)
    rotated = both.rotate(sealed, **MINE)
    assert not both.needs_rotation(rotated)
    assert SecretBox([NEW]).open(rotated, **MINE) == PLAIN
    with pytest.raises(SecretUnreadable):
        SecretBox([OLD]).open(rotated, **MINE)
    with pytest.raises(SecretUnreadable):
        SecretBox([NEW]).open(sealed, **MINE)


def test_rotating_for_somebody_else_fails_instead_of_sealing_something_wrong() -> None:
    sealed = SecretBox([OLD]).seal(PLAIN, **MINE)
    with pytest.raises(SecretUnreadable):
        SecretBox([NEW, OLD]).rotate(sealed, **{**MINE, "tenant": "t_globex"})


@pytest.mark.parametrize("keys", [[], ["short"], [OLD, "short"], ["x" * 31], OLD])
def test_keys_that_are_missing_or_short_are_refused(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="32 characters or more"):
        SecretBox(keys)


def test_neither_keys_nor_secrets_are_in_what_gets_logged(box: SecretBox) -> None:
    with pytest.raises(SecretUnreadable) as caught:
        box.open(box.seal(PLAIN, **MINE), **{**MINE, "tenant": "t_globex"})
    assert OLD not in repr(box) + key_id(OLD)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
