"""When a field of a settings form applies (`x-show-if`): in words for everybody, and for the script that hides what does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from plugin_framework.config.conditions import conditions, same
from saas.site.settings_choices import Check, option_label, option_values
from saas.site.settings_parts import Part
from saas.site.settings_values import showable

_SAID_BY_BOX = {"true": ["on"], "false": ["off", ""]}  # a locked box says nothing where others say "off"


def tell(part: Part, beside: Mapping[str, Part]) -> None:
    """Say on `part` when it applies, if that depends on the parts `beside` it."""
    found = [(beside[name], _texts(beside[name], wanted)) for name, wanted in conditions(part.node).items()]
    if found:
        told = (_in_words(field, texts) for field, texts in found)
        part.only_when = _("Only when %s.") % _(" and ").join(told)
        part.show_if = {field.name: _said(field, texts) for field, texts in found}


def _texts(field: Part, wanted: list[Any]) -> list[str]:
    """The texts of those choices of `field` that are wanted."""
    return [text for text, value in option_values(field.node).items() if any(same(value, each) for each in wanted)]


def _said(field: Part, texts: list[str]) -> list[str]:
    """What the control of `field` says while it has one of these choices."""
    if isinstance(field, Check):
        return [said for text in texts for said in _SAID_BY_BOX[text]]
    return [showable(text) for text in texts]


def _in_words(field: Part, texts: list[str]) -> str:
    if isinstance(field, Check):
        ticked = _("“%s” is ticked") if texts == ["true"] else _("“%s” is not ticked")
        return ticked % field.label
    labels = (_("“%s”") % showable(option_label(field.node, text)) for text in texts)
    return _("“%(field)s” is %(choices)s") % {"field": field.label, "choices": _(" or ").join(labels)}
