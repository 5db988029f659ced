"""Shows what an event carries: rows as references, bytes as their number, and nothing that is or looks like a secret."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext, ngettext

from plugin_framework.masking import masked
from plugin_framework.models import Delivery
from plugin_framework.registry import registry
from plugin_framework.sdk._counts import Counted

MOST_SHOWN = 16_000  # characters
HIDDEN = "[hidden]"
# Names under which people keep what others must not read, as part of a longer name too.
_SECRET = re.compile(
    r"pass(?:word|wd|phrase|code)|secret|token|api_?key|private_?key|authorization|cookie|credential", re.I
)


def payload_text(delivery: Delivery) -> tuple[str, bool]:
    """A delivery's payload for its page, and whether there was more of it.

    Secrets that the platform knows are hidden wherever they stand; of the others, what stands under a telling name.
    """
    point = registry.points.get(delivery.hook)
    names = point.args if point else ()
    kept = delivery.payload if isinstance(delivery.payload, list) else [delivery.payload]
    shown = {names[i] if i < len(names) else str(i + 1): _shown(value) for i, value in enumerate(kept)}
    text = masked(json.dumps(shown, indent=2, ensure_ascii=False))
    return text[:MOST_SHOWN], len(text) > MOST_SHOWN


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$model" in value:
        return f"{value['$model']} {_shown(value.get('pk'))}"
    if "$unsaved" in value:
        return {gettext("%(what)s (made up)") % {"what": value["$unsaved"]}: _shown(value.get("values"))}
    if len(value) == 1 and (tag := next(iter(value))) in _TAGS:
        return _TAGS[tag](value[tag])
    return {name: HIDDEN if _SECRET.search(name) else _shown(item) for name, item in _plain(value).items()}


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """A dictionary with its own keys: one that began with a dollar sign was given another."""
    return {name[1:] if name.startswith("$") else name: item for name, item in value.items()}


def _bytes(kept: Any) -> str:
    text = kept.rstrip("=") if isinstance(kept, str) else ""
    size = len(text) * 3 // 4
    return ngettext("%(number)s byte", "%(number)s bytes", size) % {"number": Counted(size)}


def _duration(kept: Any) -> str:
    match kept:
        case [int(days), int(seconds), int(microseconds)]:
            return str(timedelta(days, seconds, microseconds))
    return f"? {kept}"


_TAGS = {
    "$tuple": _shown,
    "$error": _shown,
    "$bytes": _bytes,
    "$timedelta": _duration,
    **dict.fromkeys(("$datetime", "$date", "$time", "$decimal", "$uuid"), _shown),
}
