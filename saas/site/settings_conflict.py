"""Two people have saved a plugin's settings at once: where their versions differ, and whose is taken unless somebody says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from plugin_framework import settings_store
from saas.site.settings_fields import Secret
from saas.site.settings_form import TAKE, SettingsForm
from saas.site.settings_parts import Part
from saas.site.settings_words import words

type Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Version:
    """One field that the two have filled in differently.

    Attributes:
        field: the form's name for it; `name`: of the choice between the two.
        mine: whether the later one's is taken by default. `both`: both have changed it.
    """

    field: str
    label: str
    theirs_text: str
    mine_text: str
    mine: bool
    both: bool

    @property
    def name(self) -> str:
        """The radio buttons' name."""
        return f"{TAKE}{self.field}"


def versions(form: SettingsForm, base: Config | None, theirs: Config, mine: Config) -> list[Version]:
    """Each field that differs, in the page's order.

    Args:
        base: what both began with, without secrets; None if nobody knows any more: then both may have changed everything.
        theirs: what is saved now. mine: what `form` holds.
    """
    parts = form.root.everything()
    shown = (part for part in parts if not part.in_row and not part.locked and (part.path or form.schema.free_form))
    found = (_secret(part) if isinstance(part, Secret) else _version(part, base, theirs, mine) for part in shown)
    return [each for each in found if each is not None]


def _version(part: Part, base: Config | None, theirs: Config, mine: Config) -> Version | None:
    path = tuple(map(str, part.path))
    their, my = (settings_store.get(each, path) for each in (theirs, mine))
    if not part.plain or their == my:
        return None
    was = settings_store.get(base or {}, path)
    they, me = (base is None or was != each for each in (their, my))
    return Version(
        part.name, part.long_label, words(their, part.node), words(my, part.node), mine=me or not they, both=they and me
    )


def _secret(part: Secret) -> Version | None:
    """A secret is compared with nothing: one that was typed, or is to go, differs from what is saved."""
    if not part.typed and not part.remove:
        return None
    saved = _("as it is saved") if part.is_saved else _("(empty)")
    typed = _("what you typed") if part.typed else _("removed")
    return Version(part.name, part.long_label, saved, typed, mine=True, both=False)
