"""A plugin with a fault is kept out, with a sentence that names the fault; all others run."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.utils.translation import gettext_lazy

from plugin_framework import loader
from plugin_framework.checks import app_lists_are_disjoint, idle_handlers, rejected_plugins
from plugin_framework.inspection import Rejected, inspect_plugin
from plugin_framework.registry import Registry, registry
from plugin_framework.sdk import ConfigurablePlugin, PluginInterface, action, hook
from saas.plugin_apps import plugin_apps
from tests.dummies.pages import installed
from tests.integration.engine.dummies import Alpha, Bare, Omega


class Sound(Bare):
    name = "sound"


class WrongSignature(Bare):
    name = "wrong_signature"

    @hook("view_pre_dispatch")
    def seen(self, view: Any) -> None:
        """Takes too little."""


class BadVersion(Bare):
    name, version = "bad_version", "the first"


class TooNew(Bare):
    name, requires_platform = "too_new", ">=99"


class BadName(Bare):
    name = "Bad Name"


class BadSchema(ConfigurablePlugin):
    name, version = "bad_schema", "1.0.0"

    def get_config_schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {"x": {"$ref": "https://example.com/schema.json"}}}

    def initialize(self, config: dict[str, Any]) -> None:
        """Never called."""

    def cleanup(self) -> None:
        """Never called."""


class Left(Bare):
    name, dependencies = "left_half", ("right_half",)


class Right(Bare):
    name, dependencies = "right_half", ("left_half",)


class Fan(Bare):
    name, dependencies = "fan", ("left_half",)


class Promising(Bare):
    name, requires_platform = "promising", ""
    declares = (action("promised", doc="Never comes."),)

    @hook("user_registered")
    def seen(self) -> None:
        """Takes too little."""


class Hopeful(Bare):
    name = "hopeful"

    @hook("promised")
    def seen(self) -> None:
        """Waits for the other one."""


class Keeper(Bare):
    name = "keeper"
    declares = (action("promised", doc="Comes."),)


class Clash(Bare):
    name = "clash"
    declares = (action("view_pre_dispatch", doc="Taken already."),)


class Raising(Bare):
    name = "raising"

    def __init__(self) -> None:
        raise RuntimeError("not even this")


class Misspelt(Bare):
    name = "misspelt"

    @hook("user_registred")
    def seen(self, user: Any) -> None:
        """Waits for ever."""


class OneWord(Bare):
    name, reads = "one_word", "names"


class BadLink(Bare):
    name, docs_url = "bad_link", "javascript:alert(1)"


class NoDate(Bare):
    name, changelog = "no_date", (("1.0.0", "last week", "It began."),)


class NoEntries(Bare):
    name, changelog = "no_entries", ("1.0.0: it began.",)


class Chronicled(Bare):
    name, support_url = "chronicled", "mailto:help@authors.example"
    changelog = (("1.1", "2026-11-28", " Faster. "), ("1.0", "2026-11-01", "It began."))


class Told(Bare):
    name, changelog = "told", "1.0: it began."


NotAPlugin = dict


def entry(cls: str) -> dict[str, str]:
    return {"module": __name__, "class": cls}


@pytest.mark.parametrize(
    ("cls", "sentence"),
    [
        ("WrongSignature", r"which passes \(view, request\)"),
        ("BadVersion", "states no usable version"),
        ("TooNew", "needs Tenantry >=99"),
        ("BadName", "use lower-case letters"),
        ("BadSchema", "settings schema of bad_schema is not usable"),
        ("Clash", "declares 'view_pre_dispatch', which is declared already"),
        ("Raising", "not even this"),
        ("OneWord", "use a list of texts"),
        ("BadLink", "docs_url 'javascript:alert\\(1\\)'; begin it with one of: http:, https:"),
        ("NoDate", r"in its changelog; write each entry as \(version, date, text\)"),
        ("NoEntries", r"in its changelog; write each entry as \(version, date, text\)"),
        ("NotAPlugin", "derive it from PluginInterface"),
        ("Nowhere", "Nowhere"),
    ],
)
def test_a_faulty_plugin_is_quarantined_and_the_others_are_loaded(cls: str, sentence: str) -> None:
    found = Registry()
    faulty = getattr(globals().get(cls), "name", "faulty")
    loader.load(found, {faulty: entry(cls), "sound": entry("Sound")})
    assert set(found.specs) == {"sound"}
    assert len(found.quarantine) == 1
    assert re.search(sentence, next(iter(found.quarantine.values())))


@pytest.mark.parametrize("attribute", ["title", "category", "icon", "details", "keeps_of_people"])
@pytest.mark.parametrize("value", [None, 5, b"orders", ["Orders"], property(lambda self: "Orders")])
def test_one_that_is_listed_by_something_else_than_a_text_would_break_the_others_pages(
    attribute: str, value: object
) -> None:
    cls = type("Untitled", (Sound,), {"name": "untitled", attribute: value})
    with pytest.raises(Rejected, match=rf"untitled has the {attribute} .*; use a text, or leave it out\."):
        inspect_plugin(cls, {})


def test_a_text_that_is_translated_when_it_is_read_is_one() -> None:
    cls = type("Translated", (Sound,), {"name": "translated", "title": gettext_lazy("Orders")})
    assert inspect_plugin(cls, {}).title == "Orders"


def test_a_cycle_is_quarantined_whole() -> None:
    found = Registry()
    loader.load(found, {"left_half": entry("Left"), "right_half": entry("Right"), "sound": entry("Sound")})
    assert set(found.specs) == {"sound"}
    assert set(found.quarantine) == {"left_half", "right_half"}


def test_who_needs_a_member_of_a_cycle_is_loaded_and_waits() -> None:
    found = Registry()
    loader.load(
        found, {name: entry(cls) for name, cls in (("left_half", "Left"), ("right_half", "Right"), ("fan", "Fan"))}
    )
    assert set(found.specs) == {"fan"}
    assert set(found.quarantine) == {"left_half", "right_half"}


def test_the_points_of_a_rejected_plugin_are_not_declared() -> None:
    found = Registry()
    loader.load(found, {"promising": entry("Promising"), "hopeful": entry("Hopeful")})
    assert set(found.quarantine) == {"promising"}
    assert "promised" not in found.points
    assert [handler.hook for _, handler in found.idle_handlers()] == ["promised"]


@pytest.mark.parametrize("order", [("hopeful", "keeper"), ("keeper", "hopeful")])
def test_a_handler_may_be_loaded_before_its_point(order: tuple[str, str]) -> None:
    found = Registry()
    loader.load(found, {name: entry(name.capitalize()) for name in order})
    assert found.quarantine == {}
    assert found.idle_handlers() == ()


def test_a_changelog_is_entries_or_one_text() -> None:
    found = Registry()
    loader.load(found, {"chronicled": entry("Chronicled"), "told": entry("Told"), "sound": entry("Sound")})
    assert found.quarantine == {}
    first, second = found.specs["chronicled"].changelog
    assert (first.version, first.on, first.text) == ("1.1", date(2026, 11, 28), "Faster.")
    assert second.version == "1.0"
    (text,) = found.specs["told"].changelog
    assert (text.version, text.on, text.text) == ("", None, "1.0: it began.")
    assert found.specs["sound"].changelog == ()


def test_a_module_that_is_not_there_is_named() -> None:
    found = Registry()
    loader.load(found, {"gone": {"module": "plugins.gone_plugin", "class": "Gone"}})
    assert "plugins.gone_plugin" in found.quarantine["gone"]


def test_the_order_is_that_of_dependencies_then_priority_then_name() -> None:
    for classes in ((Alpha, Omega, Sound), (Sound, Omega, Alpha)):
        with installed(*classes):
            names = [name for name in registry.specs if name in {"alpha", "omega", "sound"}]
            assert names == ["alpha", "omega", "sound"]


def test_checks_name_what_is_quarantined_and_what_waits_for_nothing() -> None:
    with installed(Misspelt, quarantined={"spoilt": "it is spoilt"}):
        assert "spoilt is quarantined: it is spoilt" in str(rejected_plugins(None)[0].msg)
        found = [warning for warning in idle_handlers(None) if "misspelt" in str(warning.msg)]
        assert "user_registered" in str(found[0].hint)


def test_an_app_in_two_lists_is_an_error(settings: Any) -> None:
    assert app_lists_are_disjoint(None) == []
    settings.SHARED_APPS = [*settings.SHARED_APPS, "tenants.accounts"]
    assert [error.id for error in app_lists_are_disjoint(None)] == ["tenantry.E001"]


def test_all_plugins_that_come_with_the_program_are_loaded() -> None:
    assert registry.quarantine == {}
    assert {"email_notifications", "slack_notifications", "orders"} <= set(registry.specs)
    assert all(issubclass(spec.cls, PluginInterface) for spec in registry.specs.values())


def test_an_installed_package_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "third_party_plugin.py").write_text(
        "from tests.integration.engine.dummies import Bare\n\n\nclass ThirdParty(Bare):\n    name = 'third_party'\n"
    )
    about = tmp_path / "third_party-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1.0\n")
    points = "third_party = third_party_plugin:ThirdParty\nbroken = third_party_plugin:Nowhere\n"
    (about / "entry_points.txt").write_text(f"[tenantry.plugins]\n{points}")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = Registry()
    loader.load(found, {"sound": entry("Sound")})
    assert set(found.specs) == {"sound", "third_party"}
    assert "Nowhere" in found.quarantine["broken"]
    assert "third_party_plugin" not in plugin_apps({})  # a single module is no Django app
