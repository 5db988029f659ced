"""The reference pages say what the code says."""

from __future__ import annotations

from pathlib import Path

from plugin_framework.registry import registry
from saas.cli.hook_reference import hook_reference

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/hooks.md"


def test_the_page_of_hook_points_is_current() -> None:
    assert PAGE.read_text("utf-8") == hook_reference(), "run `make docs`"


def test_every_hook_point_says_what_happens_and_when() -> None:
    for point in registry.points.values():
        assert point.doc.endswith("."), point.name
    text = hook_reference()
    for name in ("user_registered", "order_confirmed", "system_error", "view_pre_dispatch"):
        assert f"### `{name}(" in text
