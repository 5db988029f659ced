"""Every part of the supported JSON Schema subset on a plugin's page: filled in, found wrong, saved, put back, restored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from plugin_framework import configuration, settings_store
from plugin_framework.audit import SYSTEM
from plugin_framework.config import lint
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.dummies import pages
from tests.dummies.kitchen_sink import SCHEMA, KitchenSink
from tests.support.filled_forms import Page

PAGE = "/settings/plugins/kitchen_sink/"
FILLED = {
    "label": "First", "notes": "a\nb", "contact": "ada@acme.example", "site": "https://acme.example/x", "day": "2026-01-31",
    "hour": "14:30", "moment": "2026-01-31T14:30:00Z", "host": "mail.acme.example", "four": "192.0.2.1", "six": "2001:db8::1",
    "key": "12345678-1234-4234-8234-123456789012", "count": "7", "ratio": "0.75", "level": "3", "colour": "green",
    "edition": "2026", "days": ["", "tu", "we"], "on": "on", "speed": "fast", "tags.0": "one", "rules.0.name": "r1",
    "rules.0.weight": "4", "rules.0.strict": "on", "rules.0.kind": "b", "server.address": "srv.example", "server.port": "8443",
    "server.token": "t-secret", "server.limits.size": "10", "password": " p secret ", "old": "still",
}  # fmt: skip
SAVED: dict[str, Any] = {
    "label": "First", "notes": "a\nb", "contact": "ada@acme.example", "site": "https://acme.example/x", "day": "2026-01-31",
    "hour": "14:30", "moment": "2026-01-31T14:30:00Z", "host": "mail.acme.example", "four": "192.0.2.1", "six": "2001:db8::1",
    "key": "12345678-1234-4234-8234-123456789012", "count": 7, "ratio": 0.75, "level": 3, "colour": "green", "edition": "2026",
    "days": ["tu", "we"], "on": True, "speed": "fast", "tags": ["one"],
    "rules": [{"name": "r1", "weight": 4, "strict": True, "kind": "b"}],
    "server": {"address": "srv.example", "port": 8443, "token": "t-secret", "limits": {"size": 10}}, "password": " p secret ",
    "old": "still",
}  # fmt: skip
WRONG = {
    "label": "no capital", "contact": "ada", "site": "ftp://x", "day": "31.1.2026", "hour": "late", "moment": "2026-01-31 14:30",
    "host": "a b", "four": "1.2.3", "six": "::g", "key": "1", "count": "10", "ratio": "0.3", "colour": "pink", "edition": "2025",
    "days": ["", "su"], "tags.0": "much too long", "rules.0.weight": "-1", "server.port": "x",
}  # fmt: skip


@pytest.fixture(autouse=True)
def kitchen_sink() -> Iterator[None]:
    """The plugin beside the others."""
    with pages.installed(KitchenSink):
        yield


def _send(admin: Client, page: Page, press: str = "", **changes: Any) -> Any:
    data = page.submit(press, **changes).urlencode()
    return admin.post(f"{PAGE}configure/", data, content_type="application/x-www-form-urlencoded")


def _page(admin: Client) -> Page:
    return Page(admin.get(PAGE).content.decode())


def _stored(tenants: Tenants) -> dict[str, Any]:
    with tenant_scope(tenants.acme):
        spec = configuration.spec_of("kitchen_sink")
        return settings_store.open_secrets(spec.schema, spec.name, settings_store.stored(spec.name))


def _used(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node
        for name, inner in node.items():
            for each in inner.values() if name in ("properties", "$defs") else [inner]:
                yield from _used(each)


def test_its_schema_leaves_out_nothing_that_is_supported() -> None:
    every = {*lint._EVERYWHERE, *(name for names in lint._BY_TYPE.values() for name in names)}
    assert every - set(_used(SCHEMA)) == set()
    nodes = [*SCHEMA["properties"].values(), *SCHEMA["$defs"].values()]
    assert lint._FORMATS - {node.get("format") for node in nodes} == set()
    assert {*lint._BY_TYPE} - {node.get("type") for node in nodes} == set()


def test_all_of_it_is_saved_as_it_was_typed_and_drawn_so_again(admin: Client, tenants: Tenants) -> None:
    answer = _send(admin, _page(admin), **FILLED)
    assert answer.status_code == 302, answer.context["form"].errors
    assert _stored(tenants) == SAVED
    text = admin.get(PAGE).content.decode()
    assert "t-secret" not in text
    assert "p secret" not in text
    assert _send(admin, Page(text)).status_code == 302
    assert _stored(tenants) == SAVED


def test_what_is_wrong_stands_at_each_field_and_in_the_list_above_and_nothing_is_lost(
    admin: Client, tenants: Tenants
) -> None:
    answer = _send(admin, _page(admin), **{**FILLED, **WRONG})
    assert answer.status_code == 422
    page = Page(answer.content.decode())
    links = {each["href"] for _tag, each in page.elements if each.get("href", "").startswith("#")}
    form = answer.context["form"]
    assert {*form.errors} == {name.removesuffix(".0") if name == "days" else name for name in WRONG}
    assert {f"#{entry.anchor}" for entry in form.summary} <= links
    assert {link.removeprefix("#") for link in links} - {"main", *page.ids} == set()
    for name in set(WRONG) - {"colour", "edition", "days"}:
        assert page.attributes_of(name)["aria-invalid"] == "true", name
        assert page.attributes_of(name)["value"] == WRONG[name]
    right = {name: FILLED[name] for name in WRONG}
    swapped = {"sealed:server.token": page.attributes_of("sealed:password")["value"]}
    data = page.submit(**right, **swapped).urlencode()
    tried = admin.post(f"{PAGE}test/", data, content_type="application/x-www-form-urlencoded")
    assert set(tried.context["form"].secrets) == {("password",)}, "what was typed is good in its own field alone"
    assert _send(admin, page, **right).status_code == 302
    assert _stored(tenants) == SAVED, "with the secrets, which nobody had to type again"


def test_a_field_that_must_be_there_when_another_says_so_is_asked_for_by_the_server(admin: Client) -> None:
    answer = _send(admin, _page(admin), **{**FILLED, "speed": ""})
    assert answer.context["form"].non_field_errors() == ["Say how fast, now that it is switched on."]
    assert _send(admin, _page(admin), **{**FILLED, "speed": "", "level": "1"}).status_code == 302


def test_everything_goes_back_to_its_default_or_to_nothing_and_can_be_restored(admin: Client, tenants: Tenants) -> None:
    _send(admin, _page(admin), **FILLED)
    first = admin.get(PAGE).context["revision"]
    answer = _send(admin, _page(admin), press="reset:")
    assert answer.status_code == 200
    assert _stored(tenants) == SAVED, "nothing is saved yet"
    assert _send(admin, Page(answer.content.decode())).status_code == 302
    assert _stored(tenants) == {
        "label": "First",
        "tags": ["one"],
        "server": {"address": "srv.example", "token": "t-secret"},
        "password": " p secret ",
    }
    history = admin.get(f"{PAGE}history/").content.decode()
    for told in ("Server: Limits: Size", "Choices: Level", "High", "Name: r1, Weight: 4, Strict: yes, Kind: b"):
        assert told in history, told
    assert "t-secret" not in history
    now = str(admin.get(PAGE).context["revision"])
    assert admin.post(f"{PAGE}history/{first}/restore/", {"revision": now}).status_code == 302
    assert _stored(tenants) == SAVED


def test_single_fields_go_back_to_their_defaults(admin: Client, tenants: Tenants) -> None:
    _send(admin, _page(admin), **FILLED)
    answer = _send(admin, _page(admin), press="reset:days", contact="new@acme.example")
    answer = _send(admin, Page(answer.content.decode()), press="reset:notes")
    _send(admin, Page(answer.content.decode()))
    assert _stored(tenants) == {
        **{name: value for name, value in SAVED.items() if name not in ("days", "notes")},
        "contact": "new@acme.example",
    }


def test_settings_that_a_program_saves_are_the_same(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        spec = configuration.spec_of("kitchen_sink")
        public, secrets = spec.schema.split(SAVED)
        configuration.configure("kitchen_sink", SYSTEM, public, secrets=secrets)
    assert _stored(tenants) == SAVED
