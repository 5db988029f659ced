"""No template says anything that nobody can translate: neither on a page that no other test opens, nor in a mail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.templates import ROOT, sources, untranslated

ALL = list(sources())


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_text_of_the_template_can_be_translated(path: Path) -> None:
    found = untranslated(path.read_text("utf-8"), html=path.suffix == ".html")
    assert found == [], "put it into {% translate %} or {% blocktranslate %}"


def test_pages_and_mails_of_the_platform_and_of_plugins_are_read() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in ALL}
    assert names >= {
        "templates/base.html",
        "templates/settings/quota_reached.txt",
        "plugins/email_plugin/templates/email_plugin/message.txt",
        "plugins/usage_analytics_plugin/templates/usage_analytics_plugin/panel.html",
    }


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ("<p>{% if x %}On{% endif %}</p>", ["On"]),
        ('<a aria-label="More of it">{{ x }}</a>', ["aria-label=More of it"]),
        ("{{ name|default:'Nobody' }}", ["Nobody"]),
        ('{% translate "Hello" %} <code>slug</code> {{ name }} Tenantry', []),
        ("{% blocktranslate with a=b %}Hello <b>you</b>{% plural %}All{% endblocktranslate %}", []),
        ("{# Not shown #}{% comment %}Nor this{% endcomment %}<script>var x = 1;</script>", []),
        ("{% block content_class %}wide{% endblock %}{% block title %}Wide{% endblock %}", ["Wide"]),
        ('<a href="{% url "a:b" %}" class="button {{ kind }}">0</a>', []),
    ],
)
def test_what_is_not_translated_is_found(source: str, found: list[str]) -> None:
    assert untranslated(source) == found


def test_a_text_without_markup_is_read_by_lines() -> None:
    assert untranslated('{% translate "Hello," %}\nyou\n{{ link }}\n--\n', html=False) == ["you"]
