"""The fleet as a matrix of organisations and plugins: a page of organisations at a time, found by what their plugins are like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import batched

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from plugin_framework import activation
from plugin_framework.activation import ActiveSet
from plugin_framework.delivery import breaker
from plugin_framework.delivery.breaker import Rest
from plugin_framework.delivery.given_up import given_up
from plugin_framework.gate import Reason
from plugin_framework.registry import is_newer, registry
from plugin_framework.sdk._counts import Counted
from plugin_framework.sdk._words import reread
from plugin_framework.tenancy import TenantRef, public_scope
from plugin_framework.tenant_record import Enabled, TenantRecord
from saas.site.plugin_info import title_of
from tenants.models import PLATFORM_SCHEMA, Domain, State, Tenant

PER_PAGE = 25
AT_ONCE = 50  # organisations read in one statement
LOOKED_AT = 100  # organisations looked into for one page, however few of them fit
ROOMY = 4  # columns that leave room for whole sentences
LATELY = timedelta(days=7)  # deliveries given up before that are history
KINDS = {
    "attention": gettext_lazy("Needs attention"),
    "setup": gettext_lazy("Needs setup"),
    "paused": gettext_lazy("Paused"),
    "failing": gettext_lazy("Deliveries fail"),
    "stopped": gettext_lazy("Does not run"),
    "older": gettext_lazy("Other version"),
    "enabled": gettext_lazy("Enabled"),
    "off": gettext_lazy("Not enabled"),
}
_KIND = {Reason.NEEDS_SETUP: "setup", Reason.PAUSED: "paused"}


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is looked for; what is empty does not matter.

    Attributes:
        q: words in the organisation's name or short name. `plugin`: the only one that is looked at.
        kind: one of KINDS, of any plugin that is looked at. `after`: the short name behind which the page begins.
    """

    q: str = ""
    plugin: str = ""
    kind: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One plugin in one organisation.

    Attributes:
        kind: runs, failing, setup, paused, stopped, or off. `label`: the same in a word or two; `text`: the whole sentence.
        older: whether the organisation has another version than the one installed here.
    """

    plugin: str
    title: str
    kind: str = "off"
    label: str = ""
    text: str = ""
    version: str = ""
    older: bool = False

    def fits(self, kind: str) -> bool:
        """Whether this is what a filter means."""
        if kind == "attention":
            return self.kind not in ("runs", "off")
        if kind == "older":
            return self.older
        return (self.kind != "off") if kind == "enabled" else self.kind == kind


@dataclass(frozen=True, slots=True)
class Row:
    """One organisation. `broken`: its schema has not its tables, so nothing is known of it."""

    ref: TenantRef
    suspended: bool
    cells: tuple[Cell, ...] = ()
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some organisations.

    Attributes:
        columns: names and titles of the plugins, in the order of the cells. `left_out`: how many others have nothing to show here.
        next: what to ask for `after`; "" at the end.
    """

    rows: Sequence[Row]
    columns: Sequence[tuple[str, str]]
    left_out: int
    looked_at: int
    total: int
    next: str

    @property
    def is_roomy(self) -> bool:
        """Whether each cell has room for the whole reason."""
        return len(self.columns) <= ROOMY


def page(criteria: Criteria, size: int = PER_PAGE, most: int = LOOKED_AT) -> Page:
    """The first organisations that fit, after at most `most` were looked into."""
    with public_scope():
        tenants = _tenants(criteria.q)
        total = tenants.count()
        found = list(tenants.filter(slug__gt=criteria.after)[: most + 1])
    rows: list[Row] = []
    looked_at = 0
    last = ""
    for some in batched(found[:most], AT_ONCE if criteria.kind else min(size, AT_ONCE)):
        for row in _rows(some, criteria.plugin):
            looked_at += 1
            last = row.ref.slug
            if _fits(row, criteria.kind):
                rows.append(row)
            if len(rows) == size:
                break
        if len(rows) == size:
            break
    columns = _columns(rows, criteria)
    left_out = 0 if criteria.plugin else len(registry.specs.keys() - {name for name, _title in columns})
    rows = [replace(row, cells=_in_order(row.cells, columns)) for row in rows]
    return Page(rows, columns, left_out, looked_at, total, last if looked_at < len(found) else "")


def refs_of(slugs: Sequence[str]) -> list[TenantRef]:
    """These organisations in the order of their short names; those that are gone, or are being deleted, are left out."""
    wanted = [slug for slug in slugs if "\x00" not in slug]
    with public_scope():
        return [_ref(each) for each in _tenants("").filter(slug__in=wanted)]


def fitting(criteria: Criteria, most: int) -> list[str]:
    """Short names of all organisations that fit, of the first `most`."""
    return [row.ref.slug for row in page(replace(criteria, after=""), most, most).rows]


def looked_into(
    refs: Sequence[TenantRef],
) -> tuple[dict[str, tuple[ActiveSet, TenantRecord]], dict[tuple[str, str], Rest]]:
    """The active sets of a few dozen organisations by schema, and why deliveries rest, by schema and plugin; without broken ones."""
    sets = activation.of_many(refs)
    with public_scope():
        return sets, breaker.rests_of(sets)


def _tenants(words: str) -> QuerySet[Tenant]:
    primary = Domain.objects.filter(tenant=OuterRef("pk"), is_primary=True).values("domain")[:1]
    rows: QuerySet[Tenant] = Tenant.objects.exclude(schema_name=PLATFORM_SCHEMA).order_by("slug")
    rows = rows.filter(state__in=(State.ACTIVE, State.SUSPENDED)).annotate(host=Subquery(primary))
    for word in words.split():
        rows = rows.filter(Q(slug__icontains=word) | Q(name__icontains=word))
    return rows


def _ref(tenant: Tenant) -> TenantRef:
    return tenant.ref(tenant.host or "")


def _rows(tenants: Sequence[Tenant], plugin: str) -> list[Row]:
    refs = [_ref(each) for each in tenants]
    suspended = {each.schema_name for each in tenants if each.state == State.SUSPENDED}
    sets, rests = looked_into(refs)
    dead = given_up(list(sets), timezone.now() - LATELY)
    return [
        Row(
            ref,
            ref.schema in suspended,
            _cells(*sets[ref.schema], rests, dead, plugin) if ref.schema in sets else (),
            broken=ref.schema not in sets,
        )
        for ref in refs
    ]


def _cells(
    active: ActiveSet,
    record: TenantRecord,
    rests: Mapping[tuple[str, str], Rest],
    dead: Mapping[tuple[str, str], int],
    only: str,
) -> tuple[Cell, ...]:
    """Those of the plugins that are enabled, or of the one that is looked at."""
    schema = active.tenant.schema
    return tuple(
        _cell(active, state, rests.get((schema, name)), dead.get((schema, name), 0))
        for name, state in record.enabled.items()
        if only in ("", name)
    )


def _cell(active: ActiveSet, state: Enabled, rest: Rest | None, dead: int) -> Cell:
    name, decision = state.plugin, active.decision(state.plugin)
    kind, text = "runs", ""
    if not decision.runs:
        kind, text = _KIND.get(decision.reason, "stopped"), decision.text_for_staff
    elif rest is not None and rest.paused_by:
        kind, text = "paused", _("Its deliveries are paused by %(who)s.") % {"who": reread(rest.paused_by)}
    elif rest is not None:
        kind, text = "failing", _("Its deliveries do not arrive: %(why)s") % {"why": reread(rest.trouble)}
    elif dead:
        kind = "failing"
        text = ngettext("%(n)s delivery was given up lately.", "%(n)s deliveries were given up lately.", dead)
        text %= {"n": Counted(dead)}
    label = str(KINDS[kind]) if kind in KINDS else _("Runs")
    installed = registry.specs.get(name)
    other = installed is not None and state.version != installed.version
    if other and installed is not None and is_newer(state.version, installed.version):
        text = f"{text} {_('It has a newer version than the one installed here.')}".strip()
    return Cell(name, title_of(name), kind, label, text, state.version, older=other)


def _fits(row: Row, kind: str) -> bool:
    if not kind:
        return True
    if kind == "off":
        return not row.broken and not row.cells
    return any(cell.fits(kind) for cell in row.cells) or (row.broken and kind == "attention")


def _columns(rows: Sequence[Row], asked: Criteria) -> list[tuple[str, str]]:
    """The plugin that is looked at, or those that one of the organisations has, in the state that is looked for."""
    shown = {cell.plugin for row in rows for cell in row.cells if not asked.kind or cell.fits(asked.kind)}
    names = {asked.plugin} if asked.plugin else shown
    return sorted(((name, title_of(name)) for name in names), key=lambda each: (each[1].casefold(), each[0]))


def _in_order(cells: Sequence[Cell], columns: Sequence[tuple[str, str]]) -> tuple[Cell, ...]:
    there = {cell.plugin: cell for cell in cells}
    return tuple(there.get(name) or Cell(name, title) for name, title in columns)
