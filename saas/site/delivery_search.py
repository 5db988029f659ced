"""Reads what is asked of the deliveries pages out of an address, and writes it into one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext

from plugin_framework.delivery.redeliver import MANY
from plugin_framework.delivery.search import MOST_COUNTED, PENDING, STATES, Search, moment
from plugin_framework.models.delivery import Standing
from saas.site.filters import Filter, filters
from saas.site.names import has_address

_NUMBER = re.compile(r"[0-9]{1,18}")  # fits a bigint
MOST_PICKED = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to see.

    Attributes:
        of: the plugin whose page it is; "" on the page of all plugins.
        since, until: as they were typed. `errors`: what is wrong with them, by their names.
        picked: the deliveries that were ticked.
    """

    search: Search
    of: str
    since: str
    until: str
    errors: dict[str, str]
    picked: tuple[int, ...]

    @property
    def filtered(self) -> bool:
        """Whether anything but the state narrows the list."""
        return bool(self.search.hook or self.since or self.until or (self.search.plugin and not self.of))

    @property
    def may_repeat(self) -> bool:
        """Whether all that is found could be delivered again at once."""
        return self.search.state in MANY and not self.errors

    @property
    def list_url(self) -> str:
        """The page this was asked on."""
        return reverse("settings:deliveries", args=[self.of]) if self.of else reverse("settings:all_deliveries")

    @property
    def fields(self) -> dict[str, str]:
        """What is asked, as an address or hidden fields of a form say it."""
        search = self.search
        given = {
            "plugin": "" if self.of else search.plugin,
            "state": search.state,
            "hook": search.hook,
            "since": self.since,
            "until": self.until,
        }
        return {name: value for name, value in given.items() if value}

    def url(self, **more: object) -> str:
        """The page with what is asked, and `more`; a value of None is left out."""
        return _address(self.list_url, {**self.fields, **more})

    @property
    def repeat_url(self) -> str:
        """Where all that is found can be delivered again, after a question."""
        return _address(reverse("settings:redeliver_many"), {**self.fields, "of": self.of})

    def pills(self) -> list[Filter]:
        """One for each state, with the number behind it."""
        labels = [(state, str(Standing(state).label)) for state in STATES]
        kept = {name: value for name, value in self.fields.items() if name != "state"}
        return filters(labels, self.search.counts(), self.search.state, self.list_url, most=MOST_COUNTED, **kept)


def asked(params: QueryDict, of: str = "") -> Asked:
    """What `params` ask for. What makes no sense is left out, or named in `errors`: then nothing may be changed by it."""
    errors: dict[str, str] = {}
    since, until = _moment(params, "since", errors), _moment(params, "until", errors)
    if since and until and since >= until:
        errors["until"] = gettext("This is not after the beginning, so nothing can lie between the two.")
    state = params.get("state", "")
    upto = number(params.get("upto", ""))
    return Asked(
        search=Search(
            plugin=of or _text(params, "plugin"),
            state=state if state in STATES or state == PENDING else "",
            hook=_text(params, "hook"),
            since=since,
            until=until,
            upto=upto,
        ),
        of=of,
        since=_text(params, "since"),
        until=_text(params, "until"),
        errors=errors,
        picked=tuple(each for text in params.getlist("pick")[:MOST_PICKED] if (each := number(text)) is not None),
    )


def asked_of(params: QueryDict) -> Asked:
    """The same for pages of several plugins, which are told in `of` whose list they were reached from."""
    of = _text(params, "of")
    return asked(params, of if has_address(of) else "")


def newest(found: Asked, upto: int | None) -> Asked:
    """The same, without what comes in from now on."""
    return replace(found, search=replace(found.search, upto=upto))


def number(text: str) -> int | None:
    """A delivery's number, or None."""
    return int(text) if _NUMBER.fullmatch(text) else None


def _address(page: str, params: Mapping[str, object]) -> str:
    given = {name: value for name, value in params.items() if value not in (None, "")}
    return f"{page}?{urlencode(given)}" if given else page


def _text(params: QueryDict, name: str) -> str:
    return params.get(name, "").replace("\x00", "").strip()[:100]


def _moment(params: QueryDict, name: str, errors: dict[str, str]) -> datetime | None:
    text = _text(params, name)
    if not text:
        return None
    try:
        return moment(text)
    except ValueError as error:
        errors[name] = str(error)
        return None
