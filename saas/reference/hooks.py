"""The reference page of all hook points, made from their declarations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from plugin_framework.points import CORE
from plugin_framework.registry import registry
from plugin_framework.sdk import HookPoint

_HEAD = """\
# Hook points

Made from the declarations by `make docs`; a test keeps it current. A handler is a method marked with `@hook("name")`; it takes the
arguments named here. Actions run now, in order, and a failing one is skipped; filters pass a value through; events are delivered after the
commit, at least once to each handler, and may be tried again.
"""


def page() -> str:
    """The page, in Markdown: the platform's own points, then those of the installed plugins that come with it."""
    parts = [_HEAD, *_section("Of the platform", CORE)]
    for spec in sorted(registry.specs.values(), key=lambda each: each.name):
        if spec.cls.__module__.startswith("plugins.") and spec.cls.declares:
            parts += _section(f"Of the plugin `{spec.name}`", spec.cls.declares)
    return "\n".join(parts)


def _section(title: str, points: Sequence[HookPoint]) -> Iterator[str]:
    yield f"## {title}\n"
    for point in sorted(points, key=lambda each: each.name):
        yield _entry(point)


def _entry(point: HookPoint) -> str:
    arguments = ", ".join(point.args) + (", …" if point.variadic else "")
    lines = [f"### `{point.name}({arguments})`", "", f"*{point.kind}.* {point.doc}"]
    if point.when:
        lines.append(f"**When:** {point.when}")
    if point.unless:
        lines.append(f"**Not:** {point.unless}")
    if point.sample is not None:
        lines.append("**Sample:** an admin can send one to a plugin that handles it.")
    if point.may_veto:
        lines.append("**Veto:** a handler may stop it by raising `Veto` with a sentence for the person.")
    return "\n\n".join([lines[0], *lines[2:]]) + "\n"
