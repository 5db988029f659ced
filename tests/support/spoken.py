"""The texts that plugins say plainly of themselves, and that are translated where they are shown (`saas/site/spoken.py`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plugin_framework.delivery import house
from plugin_framework.registry import PluginSpec, registry
from plugin_framework.tenancy import TenantRef
from plugin_framework.tenancy_directory import PLATFORM as PLATFORM_SCHEMA
from saas.templatetags.tenantry import job_words

OURS = "plugins."  # the built-in ones; others bring a catalogue of their own
PLATFORM = TenantRef(slug="platform", name="Platform", host="", schema=PLATFORM_SCHEMA)
_WORDS = ("title", "description", "x-group")


def said_by_plugins() -> Iterator[tuple[str, str]]:
    """Each text, and the module that says it."""
    others: set[str] = set()
    for spec in registry.specs.values():
        module = spec.cls.__module__
        if module.startswith(OURS):
            yield from ((text, module) for text in _of(spec) if text.strip())
        else:
            others |= {point.name for point in spec.cls.declares}
    yield from ((job_words(name), "saas.apps") for name in house.jobs(PLATFORM))
    for point in registry.points.values():
        if point.name not in others:
            yield point.doc, "plugin_framework.points"


def _of(spec: PluginSpec) -> Iterator[str]:
    cls = spec.cls
    yield from (spec.title, spec.description, cls.details, cls.category, *cls.reads, *cls.stores, *cls.sends_to)
    yield cls.keeps_of_people
    yield from (release.text for release in spec.changelog)
    yield from (job_words(job.method) for job in spec.jobs)
    yield from _schema(spec.schema.document)


def _schema(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        yield from (node[name] for name in _WORDS if isinstance(node.get(name), str))
        yield from map(str, dict(node.get("x-enum-labels") or {}).values())
        for name, inner in node.items():
            if name not in ("default", "enum", "examples", "const"):
                yield from _schema(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _schema(inner)
