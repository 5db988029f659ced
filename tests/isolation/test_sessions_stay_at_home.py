"""A session's cookie means something to the organisation that gave it, and nothing to any other."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings

from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants


def test_what_one_organisation_keeps_in_a_session_no_other_finds(tenants: Tenants) -> None:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    with tenant_scope(tenants.acme):
        session = store()
        session["note"] = "only for acme"
        session.save()
    with tenant_scope(tenants.globex):
        assert store(session.session_key).get("note") is None
        store(session.session_key).flush()
    with tenant_scope(tenants.acme):
        assert store(session.session_key).get("note") == "only for acme"
