"""What the settings were, as an admin reads it, and going back with one click."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from plugin_framework import settings_store
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants

pytestmark = pytest.mark.usefixtures("plugins")
PAGE = "/settings/plugins/pager/"
HISTORY = f"{PAGE}history/"


def _save(admin: Client, **sent: str) -> int:
    revision = str(admin.get(PAGE).context["revision"])
    assert admin.post(f"{PAGE}configure/", {"level": "5", **sent, "revision": revision}).status_code == 302
    return int(admin.get(PAGE).context["revision"])


def _restore(admin: Client, revision: int) -> Any:
    return admin.post(f"{HISTORY}{revision}/restore/", {"revision": str(admin.get(PAGE).context["revision"])})


def _stored(tenants: Tenants) -> dict[str, Any]:
    with tenant_scope(tenants.acme):
        return settings_store.stored("pager")


def test_each_save_stands_beside_what_was_there_before_and_secrets_are_only_named(admin: Client) -> None:
    _save(admin, gateway="gate.one", key="k-secret-1")
    _save(admin, gateway="gate.two", key="k-secret-2", level="7")
    answer = admin.get(HISTORY)
    found = [[(row.label, row.before, row.after) for row in each.differences] for each in answer.context["saved"]]
    assert found == [
        [("Gateway", "gate.one", "gate.two"), ("Level", "(default)", "7")],
        [("Gateway", "(empty)", "gate.one"), ("Access key", "(empty)", "set")],
    ]
    assert "k-secret" not in answer.content.decode()


def test_one_click_goes_back_and_says_so(admin: Client, tenants: Tenants) -> None:
    first = _save(admin, gateway="gate.one")
    _save(admin, gateway="gate.two")
    assert _restore(admin, first)["Location"] == PAGE
    assert _stored(tenants)["gateway"] == "gate.one"
    assert len(admin.get(HISTORY).context["saved"]) == 3


def test_where_a_secret_would_go_elsewhere_the_form_asks_for_it_with_the_old_values_filled_in(
    admin: Client, tenants: Tenants
) -> None:
    first = _save(admin, gateway="gate.one", key="k-secret-1")
    _save(admin, gateway="gate.two", key="k-secret-2")
    answer = _restore(admin, first)
    assert answer.status_code == 422
    assert 'value="gate.one"' in answer.content.decode()
    assert "Enter it again" in answer.content.decode()
    assert _stored(tenants)["gateway"] == "gate.two"


def test_nobody_goes_back_over_what_somebody_else_has_just_saved(admin: Client, tenants: Tenants) -> None:
    first = _save(admin, gateway="gate.one")
    _save(admin, gateway="gate.two")
    answer = admin.post(f"{HISTORY}{first}/restore/", {"revision": str(first)}, follow=True)
    assert "Somebody else has saved in the meantime" in answer.content.decode()
    assert _stored(tenants)["gateway"] == "gate.two"


@pytest.mark.parametrize("revision", ["999999", "9" * 30])
def test_a_state_that_is_not_there_is_an_error_in_words(admin: Client, revision: str) -> None:
    answer = admin.post(f"{HISTORY}{revision}/restore/", {"revision": "0"}, follow=True)
    assert "The last 50 are kept" in answer.content.decode()


def test_an_empty_history_leads_to_the_settings_and_members_do_not_see_it(admin: Client, member: Client) -> None:
    assert "Nothing was saved yet" in admin.get(HISTORY).content.decode()
    assert member.get(HISTORY).status_code == 403
    assert member.post(f"{HISTORY}1/restore/").status_code == 403
