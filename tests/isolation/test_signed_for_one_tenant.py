"""What Django signs in one organisation is good in that one alone, whoever asked for the signature."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.core import signing
from django.core.signing import BadSignature, Signer, TimestampSigner, dumps, loads
from django.http import HttpResponse
from django.test import RequestFactory

from plugin_framework.tenancy import TenantRef, no_scope, public_scope, tenant_scope
from saas.testing import source

ACME = TenantRef("acme", "Acme", "acme.localhost", "t_aaaaaaaaaaaaaaaaaaaa")
GLOBEX = TenantRef("globex", "Globex", "globex.localhost", "t_bbbbbbbbbbbbbbbbbbbb")
ROOT = Path(__file__).resolve().parents[2]
# Where a signature of our own is made, with the tenant in it; and where the key is set.
OWN = {"tenants/accounts/models.py", "tenants/accounts/tokens.py", "saas/settings.py"}


def signed_cookie() -> str:
    response = HttpResponse()
    response.set_signed_cookie("seen", "canary", salt="x")
    return str(response.cookies["seen"].value)


def read_cookie(value: str) -> str:
    request = RequestFactory().get("/")
    request.COOKIES["seen"] = value
    return str(request.get_signed_cookie("seen", salt="x"))


def message_cookie() -> str:
    storage = CookieStorage(RequestFactory().get("/"))
    return str(storage._encode([Message(constants.INFO, "canary")]))


def read_message(value: str) -> str:
    found = CookieStorage(RequestFactory().get("/"))._decode(value)
    if found is None:
        raise BadSignature("Django drops a cookie that is not signed right.")
    return str(found[0])


KINDS: dict[str, tuple[Callable[[], str], Callable[[str], str]]] = {
    "Signer": (lambda: Signer(salt="x").sign("canary"), lambda signed: Signer(salt="x").unsign(signed)),
    "Signer of an object": (
        lambda: Signer().sign_object("canary"),
        lambda signed: str(Signer().unsign_object(signed)),
    ),
    "TimestampSigner": (lambda: TimestampSigner().sign("canary"), lambda signed: TimestampSigner().unsign(signed, 60)),
    "dumps": (lambda: dumps("canary", salt="x"), lambda signed: str(loads(signed, salt="x", max_age=60))),
    "packed dumps": (lambda: dumps("canary" * 9, compress=True), lambda signed: str(loads(signed))),
    "a key of its own": (
        lambda: dumps("canary", key="k" * 40),
        lambda signed: str(loads(signed, key="k" * 40)),
    ),
    "signed cookie": (signed_cookie, read_cookie),
    "cookie signer": (
        lambda: signing.get_cookie_signer().sign("canary"),
        lambda signed: signing.get_cookie_signer().unsign(signed),
    ),
    "messages": (message_cookie, read_message),
}
SCOPES: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "acme": lambda: tenant_scope(ACME),
    "globex": lambda: tenant_scope(GLOBEX),
    "public": public_scope,
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_opens_where_it_was_signed_and_nowhere_else(kind: str) -> None:
    sign, read = KINDS[kind]
    for here in SCOPES:
        with SCOPES[here]():
            signed = sign()
            assert "canary" in read(signed)
        for there in SCOPES.keys() - {here}:
            with SCOPES[there](), pytest.raises(BadSignature):
                read(signed)


def test_no_value_of_one_owner_is_signed_like_another_of_another_owner() -> None:
    with tenant_scope(ACME):
        forged = Signer().signature("x")
        inside = Signer().signature(f"{len(GLOBEX.schema)}:{GLOBEX.schema}:x")
    with tenant_scope(GLOBEX):
        assert Signer().signature("x") not in {forged, inside}
    with no_scope():
        assert Signer().signature(f"{len(ACME.schema)}:{ACME.schema}:x") != forged


def test_nothing_of_ours_makes_signatures_past_it() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for package in ("saas", "tenants", "plugin_framework", "plugins")
        for path in (ROOT / package).rglob("*.py")
        if "testing" not in path.parts and source.signs_by_itself(ast.parse(path.read_text("utf-8")))
    }
    assert found == OWN


@pytest.mark.parametrize(
    "code",
    [
        "from django.utils.crypto import salted_hmac",
        "from django.utils import crypto\ncrypto.salted_hmac('a', 'b')",
        "from django.contrib.auth.tokens import default_token_generator",
        "from django.conf import settings\nsettings.SECRET_KEY",
        "from django.contrib.auth import tokens\nclass Mine(tokens.PasswordResetTokenGenerator): pass",
    ],
)
def test_a_plugin_that_does_is_found(code: str) -> None:
    assert source.signs_by_itself(ast.parse(code))
    assert not source.signs_by_itself(ast.parse("from django.core import signing\nsigning.dumps('x')"))
