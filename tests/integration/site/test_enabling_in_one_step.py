"""Agreeing to what a plugin may do, filling in what it needs, and enabling it: one page, one button, all or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from plugin_framework import configuration, settings_store
from plugin_framework.audit import SYSTEM
from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.registry import registry
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.dummies import pages
from tests.support.filled_forms import Page

pytestmark = pytest.mark.usefixtures("plugins")
PAGE, ENABLE = "/settings/plugins/pager/", "/settings/plugins/pager/enable/"


def _sent(admin: Client, **typed: str) -> dict[str, str]:
    """What the page's form would send, with `typed` in it."""
    context = admin.get(ENABLE).context
    return {"enable:agreed": context["offer"].digest, "revision": str(context["setups"][-1].revision), **typed}


def _stored(tenants: Tenants) -> dict[str, Any]:
    with tenant_scope(tenants.acme):
        return settings_store.open_secrets(registry.specs["pager"].schema, "pager", settings_store.stored("pager"))


def _enabled(tenants: Tenants) -> set[str]:
    with tenant_scope(tenants.acme):
        return set(PluginState.objects.filter(enabled=True).values_list("plugin", flat=True))


def test_the_page_asks_for_what_is_needed_and_puts_the_rest_out_of_the_way(admin: Client) -> None:
    (setup,) = admin.get(ENABLE).context["setups"]
    assert [part.name for section in setup.needed for part in section.parts] == ["gateway"]
    assert [part.name for section in setup.others for part in section.parts] == ["level", "key"]


def test_the_buttons_beside_agreeing_go_to_the_next_line_together(admin: Client) -> None:
    text = admin.get(ENABLE).content.decode()
    together = re.search(r'<div class="actions-together">(.*?)</div>', text, re.DOTALL)
    assert together
    assert [name in together[1] for name in ("Test connection", "Not now", "Agree and")] == [True, True, False]


def test_what_is_wrong_is_said_before_anything_else_and_leads_to_its_field(admin: Client) -> None:
    text = admin.post(ENABLE, _sent(admin, gateway="")).content.decode()
    assert text.count('class="form-errors"') == 1
    assert text.index('class="form-errors" role="alert" tabindex="-1" autofocus') < text.index("What it may do")
    found = re.search(r'<a href="#([^"]+)">Gateway</a>', text)
    assert found
    assert f'id="{found[1]}"' in text


def test_several_plugins_are_agreed_to_with_one_button_that_says_so(admin: Client) -> None:
    text = admin.get("/settings/plugins/rota/enable/").content.decode()
    assert "Agree and enable both" in text
    assert "They can read" in text
    assert "It can read" not in text
    assert "Agree and enable both" not in admin.get(ENABLE).content.decode()


def test_what_only_the_plugins_own_code_can_demand_is_asked_for_openly(admin: Client) -> None:
    (setup,) = admin.get("/settings/plugins/signup_rules/enable/").context["setups"]
    assert "allowed_domains" in [part.name for section in setup.needed for part in section.parts]
    assert setup.others == []


def test_one_press_saves_the_settings_enables_the_plugin_and_it_runs(admin: Client, tenants: Tenants) -> None:
    answer = admin.post(ENABLE, _sent(admin, gateway="gate.example", level="7", key="k-1"))
    assert answer["Location"] == PAGE
    assert _stored(tenants) == {"gateway": "gate.example", "level": 7, "key": "k-1"}
    assert admin.get(PAGE).context["plugin"].state == "enabled"
    with tenant_scope(tenants.acme):
        assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"plugin.configured", "plugin.enabled"}


def test_a_wrong_setting_enables_and_saves_nothing_and_loses_nothing_typed(admin: Client, tenants: Tenants) -> None:
    answer = admin.post(ENABLE, _sent(admin, gateway="g", level="8", key="k-1"))
    text = answer.content.decode()
    assert answer.status_code == 422
    assert set(answer.context["setups"][0].form.errors) == {"gateway"}
    assert re.search(r'name="gateway"[^>]*value="g"', text)
    assert re.search(r'name="level"[^>]*value="8"', text)
    assert "Nothing was enabled or saved" in text
    assert "k-1" not in text  # a secret is never sent back; the page says that it has to be typed again
    assert (_enabled(tenants), _stored(tenants)) == (set(), {})


def test_what_the_plugin_itself_finds_wrong_enables_nothing_either(admin: Client, tenants: Tenants) -> None:
    answer = admin.post(ENABLE, _sent(admin, gateway="nowhere"))
    assert (answer.status_code, _enabled(tenants), _stored(tenants)) == (422, set(), {})
    assert "Nobody answers at nowhere." in answer.content.decode()


def test_a_plugin_that_cannot_get_ready_leaves_no_settings_behind(admin: Client, tenants: Tenants) -> None:
    class Picky(pages.Pager):
        name, title, declares = "picky", "Picky", ()

        def on_enable(self) -> None:
            raise RuntimeError("not today")

    with pages.installed(Picky):
        answer = admin.post("/settings/plugins/picky/enable/", {"gateway": "gate.example", "revision": "0"})
        assert answer.status_code == 409
        assert 'value="gate.example"' in answer.content.decode()
        with tenant_scope(tenants.acme):
            assert not PluginState.objects.filter(plugin="picky").exists()
            assert settings_store.stored("picky") == {}


def test_settings_saved_by_somebody_else_meanwhile_are_not_overwritten(admin: Client, tenants: Tenants) -> None:
    sent = _sent(admin, gateway="mine.example")
    with tenant_scope(tenants.acme):
        configuration.configure("pager", SYSTEM, {"gateway": "theirs.example"})
    answer = admin.post(ENABLE, sent)
    assert answer.status_code == 409
    assert 'value="mine.example"' in answer.content.decode()
    assert (_enabled(tenants), _stored(tenants)["gateway"]) == (set(), "theirs.example")
    assert admin.post(ENABLE, _sent(admin, gateway="mine.example"))["Location"] == PAGE


def test_settings_that_are_complete_need_not_be_sent_again(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        configuration.configure("pager", SYSTEM, {"gateway": "kept.example"})
        before = AuditEntry.objects.filter(action="plugin.configured").count()
    assert admin.get(ENABLE).context["setups"][0].needed == []
    assert admin.post(ENABLE, _sent(admin, gateway="kept.example", level="5", key=""))["Location"] == PAGE
    with tenant_scope(tenants.acme):
        assert AuditEntry.objects.filter(action="plugin.configured").count() == before


def test_what_is_typed_can_be_tried_before_anything_is_enabled(admin: Client, tenants: Tenants) -> None:
    answer = admin.post(ENABLE, _sent(admin, gateway="gate.example", **{"enable:try": "pager"}))
    assert answer.context["result"].result.ok
    assert "Asked gate.example at level 5." in answer.content.decode()
    assert (_enabled(tenants), _stored(tenants)) == (set(), {})


@pytest.mark.parametrize(
    ("typed", "opened"),
    [
        ({"gateway": "gate.example"}, False),
        ({"gateway": "gate.example", "level": "7"}, True),
        ({"gateway": "gate.example", "key": "k-1"}, True),
        ({"gateway": "silent"}, True),
    ],
)
def test_after_a_test_whatever_was_changed_or_may_be_why_it_failed_is_in_sight(
    admin: Client, typed: dict[str, str], opened: bool
) -> None:
    drawn = {"level": "5"} | typed
    answer = admin.post(ENABLE, _sent(admin, **drawn, **{"enable:try": "pager"}))
    (setup,) = answer.context["setups"]
    assert setup.opened is opened
    assert ("<details open>" in answer.content.decode()) is opened


def test_nobody_agrees_to_something_else_than_the_page_has_shown(admin: Client, tenants: Tenants) -> None:
    sent = _sent(admin, gateway="gate.example")

    class Curious(pages.Pager):
        version, reads = "2.2.0", ("the sender of each alarm", "everybody's calendar")

    with pages.installed(Curious):
        answer = admin.post(ENABLE, sent)
    assert (answer.status_code, _enabled(tenants)) == (409, set())
    text = answer.content.decode()
    assert "has changed since this page was shown" in text
    assert "everybody&#x27;s calendar" in text
    assert 'value="gate.example"' in text


class Duty(pages.Pager):
    """Needs the pager, and has settings called the same."""

    name, title, declares, dependencies = "duty", "Duty", (), ("pager>=2",)
    reads = ("who is on duty",)


DUTY = "/settings/plugins/duty/enable/"


@pytest.fixture
def duty(plugins: None) -> Iterator[None]:
    """Duty is installed."""
    with pages.installed(Duty):
        yield


def _page(admin: Client, path: str) -> Page:
    """The page of `path`, to be filled in."""
    return Page(_main(admin.get(path)))


def _main(answer: Any) -> str:
    return str(answer.content.decode()).partition("<main")[2].partition("</main>")[0]


def _of_pager(tenants: Tenants, actions: tuple[str, ...] = ("plugin.configured", "plugin.enabled")) -> list[str]:
    with tenant_scope(tenants.acme):
        found = AuditEntry.objects.filter(target="pager", action__in=actions).order_by("pk")
        return list(found.values_list("action", flat=True))


def test_what_a_needed_plugin_needs_to_know_is_asked_for_on_the_same_page(admin: Client, tenants: Tenants) -> None:
    page = _page(admin, "/settings/plugins/rota/enable/")
    assert {"pager/gateway", "pager/level", "pager/key", "pager/revision"} <= page.submit().keys()
    answer = admin.post(
        "/settings/plugins/rota/enable/", page.submit(**{"pager/gateway": "gate.example", "pager/key": "k-1"})
    )
    assert answer["Location"] == "/settings/plugins/rota/"
    assert _stored(tenants) == {"gateway": "gate.example", "key": "k-1"}
    assert _enabled(tenants) == {"pager", "rota"}
    assert _of_pager(tenants) == ["plugin.configured", "plugin.enabled"]
    assert [admin.get(f"/settings/plugins/{name}/").context["plugin"].runs for name in ("pager", "rota")] == [
        True,
        True,
    ]


def test_one_consent_covers_all_that_is_enabled(admin: Client, tenants: Tenants) -> None:
    page = admin.get("/settings/plugins/rota/enable/")
    assert {"the sender of each alarm", "everybody's name"} <= set(page.context["offer"].reach.reads)
    admin.post("/settings/plugins/rota/enable/", Page(_main(page)).submit(**{"pager/gateway": "gate.example"}))
    with tenant_scope(tenants.acme):
        agreed = dict(PluginState.objects.values_list("plugin", "consented"))
    assert ["reads", "the sender of each alarm"] in agreed["pager"]
    assert ["reads", "everybody's name"] in agreed["rota"]


def test_nobody_enables_what_a_needed_plugin_asks_for_more_by_now(admin: Client, tenants: Tenants) -> None:
    sent = _page(admin, "/settings/plugins/rota/enable/").submit(**{"pager/gateway": "gate.example"})

    class Curious(pages.Pager):
        version, reads = "2.2.0", ("everybody's calendar",)

    with pages.installed(Curious):
        answer = admin.post("/settings/plugins/rota/enable/", sent)
    assert (answer.status_code, _enabled(tenants), _stored(tenants)) == (409, set(), {})
    assert re.search(r'name="pager/gateway"[^>]*value="gate.example"', answer.content.decode())


@pytest.mark.usefixtures("duty")
def test_two_plugins_whose_settings_are_called_the_same_are_set_up_side_by_side(
    admin: Client, tenants: Tenants
) -> None:
    page = _page(admin, DUTY)
    sent = page.submit(**{"pager/gateway": "one.example", "gateway": "two.example", "pager/level": "1", "level": "2"})
    assert admin.post(DUTY, sent)["Location"] == "/settings/plugins/duty/"
    with tenant_scope(tenants.acme):
        found = settings_store.stored_for(["pager", "duty"])
    assert (found["pager"], found["duty"]) == (
        {"gateway": "one.example", "level": 1},
        {"gateway": "two.example", "level": 2},
    )


def test_an_id_is_on_the_page_once_and_every_label_leads_to_its_field(admin: Client) -> None:
    class Bell(pages.Pager):
        name, title, declares = "bell", "Bell", ()

        def get_config_schema(self) -> dict[str, Any]:
            fields = {name: {"type": "string", "x-group": "Where"} for name in ("gateway", "other")}
            return {"type": "object", "properties": fields, "required": ["gateway"]}

    class Tower(Bell):
        name, title, dependencies = "tower", "Tower", ("bell",)

    with pages.installed(Bell, Tower):
        page = _page(admin, "/settings/plugins/tower/enable/")
    assert len(page.ids) == len(set(page.ids))
    leading = [
        " ".join(each.get(name, "") for name in ("for", "aria-labelledby", "aria-describedby"))
        for _, each in page.elements
    ]
    pointed = set(" ".join(leading).split())
    assert {"id_gateway", "id_bell/gateway"} <= pointed <= set(page.ids)


@pytest.mark.usefixtures("duty")
@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"pager/gateway": "g", "gateway": "two.example"}, "pager/gateway"),
        ({"pager/gateway": "one.example", "gateway": "g"}, "gateway"),
        ({"pager/gateway": "nowhere", "gateway": "two.example"}, ""),
        ({"pager/gateway": "one.example", "gateway": "nowhere"}, ""),
    ],
)
def test_what_is_wrong_with_one_of_them_stands_at_its_field_and_nothing_at_all_is_done(
    admin: Client, tenants: Tenants, typed: dict[str, str], wrong: str
) -> None:
    answer = admin.post(DUTY, _page(admin, DUTY).submit(**typed))
    text = _main(answer)
    assert answer.status_code == 422
    fields = [each.attributes for each in Page(text).controls]
    assert [each["name"] for each in fields if "aria-invalid" in each] == ([wrong] if wrong else [])
    (found,) = answer.context["wrong"]
    assert found.plugin == ("Pager" if wrong == "pager/gateway" or typed["pager/gateway"] == "nowhere" else "Duty")
    assert found.entry.anchor == (f"id_{wrong}" if wrong else "")
    for name, value in typed.items():
        assert Page(text).attributes_of(name)["value"] == value
    with tenant_scope(tenants.acme):
        assert settings_store.stored_for(["pager", "duty"]) == {}
        assert not PluginState.objects.filter(plugin__in=["pager", "duty"]).exists()


@pytest.mark.usefixtures("duty")
def test_when_the_second_cannot_get_ready_the_first_keeps_neither_settings_nor_state(
    admin: Client, tenants: Tenants
) -> None:
    class Tired(Duty):
        name, title = "tired", "Tired"

        def on_enable(self) -> None:
            raise RuntimeError("not today")

    with pages.installed(Tired):
        path = "/settings/plugins/tired/enable/"
        sent = _page(admin, path).submit(**{"pager/gateway": "one.example", "gateway": "two.example"})
        answer = admin.post(path, sent)
    assert answer.status_code == 409
    assert re.search(r'name="pager/gateway"[^>]*value="one.example"', _main(answer))
    with tenant_scope(tenants.acme):
        assert settings_store.stored_for(["pager", "tired"]) == {}
        assert not PluginState.objects.filter(plugin__in=["pager", "tired"]).exists()
    assert _of_pager(tenants) == []


def test_settings_of_a_needed_plugin_that_somebody_saves_meanwhile_are_not_overwritten(
    admin: Client, tenants: Tenants
) -> None:
    rota = "/settings/plugins/rota/enable/"
    sent = _page(admin, rota).submit(**{"pager/gateway": "mine.example"})
    with tenant_scope(tenants.acme):
        configuration.configure("pager", SYSTEM, {"gateway": "theirs.example"})
    answer = admin.post(rota, sent)
    assert answer.status_code == 409
    assert "saved the settings of Pager" in answer.content.decode()
    assert re.search(r'name="pager/gateway"[^>]*value="mine.example"', _main(answer))
    assert (_enabled(tenants), _stored(tenants)["gateway"]) == (set(), "theirs.example")
    assert admin.post(rota, Page(_main(answer)).submit())["Location"] == "/settings/plugins/rota/"
    assert _stored(tenants)["gateway"] == "mine.example"


def test_a_needed_plugin_that_has_all_it_needs_is_not_asked_about(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        configuration.configure("pager", SYSTEM, {"gateway": "kept.example"})
    page = _page(admin, "/settings/plugins/rota/enable/")
    assert not any(name.startswith("pager/") for name in page.submit())
    assert admin.post("/settings/plugins/rota/enable/", page.submit())["Location"] == "/settings/plugins/rota/"
    assert _stored(tenants)["gateway"] == "kept.example"


@pytest.mark.usefixtures("duty")
def test_one_of_them_is_tried_without_the_other_being_filled_in(admin: Client, tenants: Tenants) -> None:
    sent = _page(admin, DUTY).submit(**{"pager/gateway": "gate.example", "pager/key": "k-1"})
    answer = admin.post(DUTY, {**sent, "enable:try": "pager"})
    assert (answer.status_code, answer.context["result"].spec.name) == (200, "pager")
    assert pages.tried == [{"gateway": "gate.example", "level": 5, "key": "k-1"}]
    assert "The test of Pager worked." in answer.content.decode()
    assert answer.context["wrong"] == []
    assert "k-1" not in answer.content.decode()
    assert _enabled(tenants) == set()
    sent = Page(_main(answer)).submit(gateway="two.example")  # what was typed before is still there, the secret too
    assert admin.post(DUTY, sent)["Location"] == "/settings/plugins/duty/"
    assert _stored(tenants)["key"] == "k-1"
    with tenant_scope(tenants.acme):
        assert "key" not in settings_store.stored("duty")


def test_a_row_more_in_one_form_complains_about_no_other(admin: Client, tenants: Tenants) -> None:
    class Listing(Duty):
        name, title = "listing", "Listing"

        def get_config_schema(self) -> dict[str, Any]:
            names = {"type": "array", "title": "Names", "items": {"type": "string", "title": "Name"}}
            return {"type": "object", "properties": {"names": names}}

    class Needy(Listing):
        name, title, dependencies = "needy", "Needy", ("listing",)

    with pages.installed(Listing, Needy):
        path = "/settings/plugins/needy/enable/"
        answer = admin.post(path, {**_page(admin, path).submit(), "add:names": "1"})
        assert (answer.status_code, answer.context["wrong"]) == (200, [])
        rows = [name for name in Page(_main(answer)).submit() if name.startswith("names.")]
        assert len(rows) == 2
    assert _enabled(tenants) == set()
