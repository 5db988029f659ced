"""The plugins as the platform's staff sees them: installed or rejected, to whom they are offered, who has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.http import Http404

from plugin_framework import defaults
from plugin_framework.catalog import offers, plans
from plugin_framework.catalog.models import Availability, CatalogEntry, CatalogGrant
from plugin_framework.catalog.offers import Offer
from plugin_framework.catalog.plans import PlanRow
from plugin_framework.registry import Release, registry
from plugin_framework.tenancy import public_scope
from saas.console.adoption import Adoption
from saas.site.names import has_address
from saas.site.plugin_info import HookInfo, dependants_of, hooks_of, releases_of, title_of
from saas.site.spoken import spoken
from tenants.models import Tenant

REJECTED = "rejected"  # a filter beside the availabilities: its code could not be loaded


@dataclass(frozen=True, slots=True)
class CatalogInfo:
    """One plugin's place in the catalog."""

    name: str
    title: str
    description: str
    details: str
    version: str
    category: str
    icon: str
    has_page: bool  # whether its name can stand in an address
    installed: bool
    quarantined: str  # the sentence that says what is wrong with its code
    availability: str
    availability_label: str
    message: str
    granted: tuple[str, ...]  # slugs of the organisations to which a listed plugin is offered
    adoption: int  # in how many organisations it is enabled
    hooks: tuple[HookInfo, ...]
    reads: tuple[str, ...]
    stores: tuple[str, ...]
    sends_to: tuple[str, ...]
    needs: tuple[str, ...]
    has_settings: bool  # fields that the platform can fill in or lock
    instead: str  # the plugin to use, while this one is deprecated
    on_by_default: bool
    required: bool
    not_by_default: str  # why new organisations do not begin with it although it is on by default
    platform_fields: tuple[str, ...]  # that the platform fills in
    locked_fields: tuple[str, ...]  # and that organisations may not change
    plans: tuple[PlanRow, ...]  # those that include it
    dependants: tuple[str, ...]  # titles of the plugins that need it
    keeps_of_people: str  # what stays of somebody whose data is erased, and why
    releases: tuple[Release, ...]

    @property
    def states(self) -> tuple[str, ...]:
        """What it is found under: REJECTED, and to whom it is offered where that matters."""
        rejected = (REJECTED,) if self.quarantined else ()
        offered = self.installed or self.availability != Availability.EVERYONE
        return (*rejected, self.availability) if offered else rejected


def catalog(adoption: Adoption) -> list[CatalogInfo]:
    """All plugins: installed, rejected, and those that only a decision remembers."""
    with public_scope():
        entries = {entry.plugin: entry for entry in CatalogEntry.objects.all()}
    decided = offers.current()
    names = {*registry.specs, *registry.quarantine, *entries}
    found = [_describe(name, entries.get(name), (), adoption, decided) for name in names]
    return sorted(found, key=lambda info: (info.title.casefold(), info.name))


def one(name: str, adoption: Adoption) -> CatalogInfo:
    """One plugin with the organisations it is listed for.

    Raises:
        Http404: nothing is known of it.
    """
    with public_scope():
        entry = CatalogEntry.objects.filter(plugin=name).first()
        schemas = CatalogGrant.objects.filter(plugin=name).values("tenant_schema")
        slugs = tuple(Tenant.objects.filter(schema_name__in=schemas).values_list("slug", flat=True))
    if entry is None and name not in {*registry.specs, *registry.quarantine}:
        raise Http404(f"There is no plugin {name!r}.")
    including = tuple(plan for plan in plans.plans() if name in plan.plugins)
    return replace(_describe(name, entry, slugs, adoption, offers.current()), plans=including)


def _describe(
    name: str,
    entry: CatalogEntry | None,
    slugs: tuple[str, ...],
    adoption: Adoption,
    decided: Mapping[str, Offer],
) -> CatalogInfo:
    spec, entry = registry.specs.get(name), entry or CatalogEntry(plugin=name)
    return CatalogInfo(
        name=name,
        title=title_of(name),
        description=spoken(spec.description) if spec else "",
        details=spoken(spec.cls.details) if spec else "",
        version=spec.version if spec else "",
        category=spoken(spec.cls.category) if spec else "",
        icon=spec.cls.icon if spec else "plug",
        has_page=has_address(name),
        installed=spec is not None,
        quarantined=registry.quarantine.get(name, "") if spec is None else "",
        availability=entry.availability,
        availability_label=str(Availability(entry.availability).label),
        message=entry.message,
        granted=slugs,
        adoption=adoption.counts.get(name, 0),
        hooks=hooks_of(spec),
        reads=tuple(map(spoken, spec.cls.reads)) if spec else (),
        stores=tuple(map(spoken, spec.cls.stores)) if spec else (),
        sends_to=tuple(map(spoken, spec.cls.sends_to)) if spec else (),
        needs=tuple(str(each) for each in spec.requires) if spec else (),
        has_settings=bool(spec and spec.schema.properties),
        instead=entry.instead,
        on_by_default=entry.on_by_default,
        required=entry.required,
        not_by_default=defaults.problem(name, decided) if entry.on_by_default else "",
        platform_fields=tuple(sorted(entry.settings)),
        locked_fields=tuple(sorted(entry.locked)),
        plans=(),
        dependants=tuple(map(title_of, dependants_of(name))),
        keeps_of_people=spoken(str(spec.cls.keeps_of_people)) if spec else "",
        releases=releases_of(spec),
    )
