"""The plugins as the platform's staff sees them: installed or rejected, to whom they are offered, who has them."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404

from plugin_framework.catalog.models import Availability, CatalogEntry, CatalogGrant
from plugin_framework.registry import registry
from plugin_framework.tenancy import public_scope
from saas.console import fleet
from saas.site.names import has_address
from saas.site.plugin_info import HookInfo, hooks_of, title_of
from tenants.models import Tenant


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
    sends_to: tuple[str, ...]
    needs: tuple[str, ...]
    has_settings: bool  # fields that the platform can fill in or lock


def catalog(adoption: fleet.Adoption) -> list[CatalogInfo]:
    """All plugins: installed, rejected, and those that only a decision remembers."""
    with public_scope():
        entries = {entry.plugin: entry for entry in CatalogEntry.objects.all()}
    names = {*registry.specs, *registry.quarantine, *entries}
    found = [_describe(name, entries.get(name), (), adoption) for name in names]
    return sorted(found, key=lambda info: (info.title.casefold(), info.name))


def one(name: str, adoption: fleet.Adoption) -> CatalogInfo:
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
    return _describe(name, entry, slugs, adoption)


def _describe(name: str, entry: CatalogEntry | None, slugs: tuple[str, ...], adoption: fleet.Adoption) -> CatalogInfo:
    spec, decided = registry.specs.get(name), entry or CatalogEntry(plugin=name)
    return CatalogInfo(
        name=name,
        title=title_of(name),
        description=spec.description if spec else "",
        details=spec.cls.details if spec else "",
        version=spec.version if spec else "",
        category=spec.cls.category if spec else "",
        icon=spec.cls.icon if spec else "plug",
        has_page=has_address(name),
        installed=spec is not None,
        quarantined=registry.quarantine.get(name, "") if spec is None else "",
        availability=decided.availability,
        availability_label=str(Availability(decided.availability).label),
        message=decided.message,
        granted=slugs,
        adoption=adoption.counts.get(name, 0),
        hooks=hooks_of(spec),
        reads=tuple(spec.cls.reads) if spec else (),
        sends_to=tuple(spec.cls.sends_to) if spec else (),
        needs=tuple(str(each) for each in spec.requires) if spec else (),
        has_settings=bool(spec and spec.schema.properties),
    )
