"""All addresses of a urlconf, so that a new one is tried by being there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module

from django.urls import URLPattern, URLResolver

VALUES: Mapping[str, Sequence[str]] = {
    "plugin": ["orders", "nonesuch"],
    "slug": ["acme", "nobody"],
    "int": ["1", "999999"],
    "str": ["x"],
    "uuid": ["0" * 32],
    "path": ["orders/x", "../x"],
}


def addresses(urlconf: str, **values: Sequence[str]) -> list[str]:
    """Every address of a urlconf, its parameters filled with something that is there and something that is not.

    Args:
        values: what to fill in, by the name of the parameter's converter, where it is not to be `VALUES`.
    """
    return sorted(set(_walk(import_module(urlconf).urlpatterns, [""], {**VALUES, **values})))


def _walk(
    patterns: Sequence[URLPattern | URLResolver], prefixes: list[str], values: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    for pattern in patterns:
        longer = [prefix + part for prefix in prefixes for part in _filled(str(pattern.pattern), values)]
        if isinstance(pattern, URLResolver):
            yield from _walk(list(pattern.url_patterns), longer, values)
        else:
            yield from (f"/{each}" for each in longer)


def _filled(route: str, values: Mapping[str, Sequence[str]]) -> list[str]:
    if route.startswith("^"):
        route = (
            route.strip("^$")
            .replace("(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/", "1-x/")
            .replace("(?P<key>[-:\\w]+)/", "x/")
        )
    filled = [""]
    while "<" in route:
        before, _, rest = route.partition("<")
        kind, _, route = rest.partition(">")
        kind = kind.split(":")[0] if ":" in kind else "str"
        filled = [start + before + value for start in filled for value in values[kind]]
    return [start + route for start in filled]
