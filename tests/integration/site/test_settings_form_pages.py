"""The settings form on its real page: rows without JavaScript, errors of the engine at their fields, leftovers of older versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from plugin_framework import configuration, settings_store
from plugin_framework.audit import SYSTEM
from plugin_framework.models import PluginSetting
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.dummies import pages
from tests.support.filled_forms import Page

pytestmark = pytest.mark.usefixtures("plugins", "phone")
PHONE = "/settings/plugins/phone/"


class Notebook(pages.Rota):
    """Needs nothing, has no schema."""

    name, title = "notebook", "Notebook"
    dependencies = ()


class Phone(pages.Pager):
    """Has rows, and takes no settings that it does not know."""

    name, title, declares = "phone", "Phone", ()

    def get_config_schema(self) -> dict[str, Any]:
        entry = {
            "type": "object",
            "required": ["number"],
            "properties": {"who": {"type": "string"}, "number": {"type": "string", "pattern": "^[0-9]+$"}},
        }
        entries = {"type": "array", "title": "Entries", "items": entry, "maxItems": 20}
        return {"type": "object", "properties": {"entries": entries}, "additionalProperties": False}

    def validate_config(self, config: dict[str, Any]) -> list[str]:
        return []


@pytest.fixture
def phone() -> Iterator[None]:
    """A plugin with rows and one without a schema, beside the others."""
    with pages.installed(Phone, Notebook):
        yield


def _stored(tenants: Tenants, plugin: str = "phone") -> dict[str, Any]:
    with tenant_scope(tenants.acme):
        return settings_store.stored(plugin)


def _fill(admin: Client, url: str = PHONE, /, press: str = "", **changes: Any) -> Any:
    drawn = Page(admin.get(url).content.decode())
    data = drawn.submit(press, **changes)
    return admin.post(f"{url}configure/", data.urlencode(), content_type="application/x-www-form-urlencoded")


def test_a_row_is_added_without_saving_and_then_saved(admin: Client, tenants: Tenants) -> None:
    answer = _fill(admin, press="add:entries", **{"entries.0.number": "112"})
    assert answer.status_code == 200
    assert _stored(tenants) == {}
    page = Page(answer.content.decode())
    assert page.attributes_of("entries.0.number")["value"] == "112"
    data = page.submit(**{"entries.1.number": "110", "entries.1.who": "Police"})
    admin.post(f"{PHONE}configure/", data.urlencode(), content_type="application/x-www-form-urlencoded")
    assert _stored(tenants) == {"entries": [{"number": "112"}, {"number": "110", "who": "Police"}]}


def test_an_error_in_a_row_stands_at_the_row_and_links_to_it(admin: Client, tenants: Tenants) -> None:
    answer = _fill(admin, **{"entries.0.number": "one one two"})
    assert answer.status_code == 422
    page = Page(answer.content.decode())
    assert page.attributes_of("entries.0.number")["aria-invalid"] == "true"
    assert "#id_entries.0.number" in [each.get("href") for _tag, each in page.elements]
    assert len(set(page.ids)) == len(page.ids)
    assert _stored(tenants) == {}


def test_a_form_with_more_fields_than_a_request_may_have_is_refused_without_a_failure(admin: Client) -> None:
    data = "&".join(f"entries.{index}.number=1" for index in range(1500))
    assert admin.post(f"{PHONE}configure/", data, content_type="application/x-www-form-urlencoded").status_code == 413


def test_what_an_older_version_has_left_behind_does_not_stand_in_the_way(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        PluginSetting.objects.create(plugin_name="phone", key="gone", value="x")
    assert _fill(admin, **{"entries.0.number": "112"}).status_code == 302
    assert _stored(tenants) == {"entries": [{"number": "112"}]}


def test_a_key_taken_out_of_the_json_of_a_plugin_without_a_schema_is_gone(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        configuration.configure("notebook", SYSTEM, {"a": 1, "b": 2})
    _fill(admin, "/settings/plugins/notebook/", config='{"b": 3}')
    assert _stored(tenants, "notebook") == {"b": 3}


def test_a_key_that_only_the_program_sets_stays_when_the_program_saves_others(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        configuration.configure("notebook", SYSTEM, {"a": 1})
        configuration.configure("notebook", SYSTEM, {"b": 2})
    assert _stored(tenants, "notebook") == {"a": 1, "b": 2}
