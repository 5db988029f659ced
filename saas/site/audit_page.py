"""The organisation's audit log, for its admins to read, and to take along as a table; the platform's, for its staff, is the same page.

Template: `settings/audit.html` (`entries`; `page`; `asked`: an Asked; `areas`: (value, label) pairs; `all_url` and `table_url`: the
addresses of the page and of the table).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from plugin_framework.models import AuditEntry
from plugin_framework.registry import registry
from saas.site.access import admins_only
from saas.site.audit_details import OF_PLUGINS
from saas.site.plugin_info import title_of

PER_PAGE = 50
AT_ONCE = 500  # rows of a table that are read together
type Areas = Mapping[str, tuple[Any, Q]]
_AREAS: Areas = {
    "plugins": (gettext_lazy("Plugins and their settings"), Q(action__startswith="plugin.")),
    "deliveries": (gettext_lazy("Deliveries"), Q(action__startswith="deliver")),
    "people": (gettext_lazy("People"), Q(action__startswith="person.")),
    "organisation": (gettext_lazy("The organisation"), Q(action__startswith="tenant.")),
}
_EARLIEST, _LATEST = date(2000, 1, 1), date(2999, 12, 31)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to see: words, an area, and from which day until which, as they were typed; `errors` by field."""

    q: str
    area: str
    since: str
    until: str
    rows: QuerySet[AuditEntry]
    errors: dict[str, str]

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.q or self.area or self.since or self.until)


@require_safe
@admins_only
def index(request: HttpRequest) -> HttpResponse:
    """Who did what, newest first; see `Asked` for what the address may ask for."""
    return show(request, _AREAS, reverse("settings:audit"), reverse("settings:audit_table"))


@require_safe
@admins_only
def table(request: HttpRequest) -> StreamingHttpResponse:
    """The same, all pages of it, as CSV; times in UTC, so that a program can compare them."""
    return as_table(request, _AREAS)


def show(request: HttpRequest, areas: Areas, all_url: str, table_url: str) -> HttpResponse:
    """The page of the log of whoever's host this is; `areas`: what it can be narrowed to."""
    asked = _asked(request.GET, areas)
    page = Paginator(asked.rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "entries": list(page.object_list),
        "page": page,
        "asked": asked,
        "areas": [(value, label) for value, (label, _found) in areas.items()],
        "all_url": all_url,
        "table_url": table_url,
    }
    return render(request, "settings/audit.html", context)


def as_table(request: HttpRequest, areas: Areas) -> StreamingHttpResponse:
    """The whole log, as far as it is asked for, as a file."""
    response = StreamingHttpResponse(_csv(_asked(request.GET, areas).rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="audit-log-{timezone.localdate():%Y-%m-%d}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _asked(params: QueryDict, areas: Areas) -> Asked:
    errors: dict[str, str] = {}
    q, area = _text(params, "q"), _text(params, "area")
    rows = AuditEntry.objects.all()
    for word in q.split():
        typed = Q(actor__icontains=word) | Q(action__icontains=word) | Q(target__icontains=word)
        rows = rows.filter(typed | _of_plugins_called(word))
    if area in areas:
        rows = rows.filter(areas[area][1])
    since, until = _day(params, "since", errors), _day(params, "until", errors)
    if since and until and until < since:
        errors["until"] = _("This day is before the first one, so nothing can lie between the two.")
    if since:
        rows = rows.filter(at__gte=_begin(since))
    if until:
        rows = rows.filter(at__lt=_begin(until + timedelta(days=1)))
    return Asked(q, area if area in areas else "", _text(params, "since"), _text(params, "until"), rows, errors)


def _day(params: QueryDict, name: str, errors: dict[str, str]) -> date | None:
    text = _text(params, name)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        errors[name] = _("This is not a day. Write it like this: 2026-11-23")
        return None
    return min(max(day, _EARLIEST), _LATEST)


def _begin(day: date) -> datetime:
    """The first moment of a day, as the organisation counts its days."""
    return timezone.make_aware(datetime.combine(day, time.min))


def _of_plugins_called(word: str) -> Q:
    """Entries about plugins with `word` in their titles: that is what the page calls them, and their names are what the log holds."""
    named = [name for name in registry.specs if word.casefold() in title_of(name).casefold()]
    about = reduce(or_, (Q(action__startswith=beginning) for beginning in OF_PLUGINS))
    return Q(target__in=named) & about


def _text(params: QueryDict, name: str) -> str:
    return params.get(name, "").replace("\x00", "").strip()[:200]


def _csv(rows: QuerySet[AuditEntry]) -> Iterator[str]:
    """By key, a few hundred at a time: nothing is held open while somebody takes their time to read."""
    yield _line(["at", "who", "action", "what", "detail"])
    some = list(rows[:AT_ONCE])
    while some:
        yield "".join(
            _line([row.at.isoformat(timespec="seconds"), row.actor, row.action, row.target, _json(row.detail)])
            for row in some
        )
        some = list(rows.filter(pk__lt=some[-1].pk)[:AT_ONCE])


def _json(detail: Any) -> str:
    return json.dumps(detail, ensure_ascii=False) if detail else ""


def _line(cells: list[str]) -> str:
    """A spreadsheet takes a cell that begins like a formula for one; a quote in front makes it text."""
    out = io.StringIO()
    csv.writer(out).writerow(
        [f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell for cell in cells]
    )
    return out.getvalue()
