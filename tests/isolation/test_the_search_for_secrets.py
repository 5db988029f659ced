"""The search that `test_no_secret_leaks` relies on finds what is there, wherever it got to and however it is wrapped."""

from __future__ import annotations

import logging
from base64 import b64encode
from urllib.parse import quote

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.db import connection

from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.support.canaries import Canary, Everything, Search, dump


@pytest.mark.parametrize("place", ["row", "json", "bytes", "session", "cache", "log"])
@pytest.mark.parametrize("wrapped", [0, 1, 2, 3, 4, 5])
def test_the_sweep_finds_a_canary_in_every_kind_of_place(tenants: Tenants, place: str, wrapped: int) -> None:
    canary = Canary("planted")
    secret = canary.password
    text = (
        secret,
        secret[::-1],
        quote(secret),
        secret.encode().hex(),
        b64encode(secret.encode()).decode(),
        b64encode(f"\0u\0{secret}.".encode()).decode(),
    )[wrapped]
    if place == "log":
        kept = Everything()
        kept.handle(logging.LogRecord("x", logging.INFO, "x", 1, "said %s", (text,), None))
        assert Search([canary]).found([("log", kept.text())])
        return
    with tenant_scope(tenants.acme):
        if place == "session":
            session = SessionStore()
            session["x"] = [text, "y" * 300]
            session.save()
        elif place == "cache":
            cache.set("x", {"y": text})
        elif place == "row":
            PluginState.objects.create(plugin="x", version="1", paused_reason=text)
        elif place == "json":
            AuditEntry.objects.create(actor="x", action="x", target="x", detail={"x": [text]})
        else:
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE kept AS SELECT %s::bytea AS x", [text.encode()])
        assert Search([canary]).found(dump())
