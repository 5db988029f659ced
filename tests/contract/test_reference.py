"""The reference pages say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plugin_framework import sdk
from plugin_framework.registry import registry
from saas.reference import PAGES, hooks

ROOT = Path(__file__).resolve().parents[2]
_READ = re.compile(r"""\benv\.\w+\(\s*"([A-Z_]+)"|environ(?:\.get\(|\[)"([A-Z_]+)\"""")


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_current(name: str) -> None:
    assert (ROOT / f"docs/reference/{name}.md").read_text("utf-8") == PAGES[name](), "run `make docs`"


def test_every_hook_point_says_what_happens_and_when() -> None:
    for point in registry.points.values():
        assert point.doc.endswith("."), point.name
    text = hooks.page()
    for name in ("user_registered", "order_confirmed", "system_error", "view_pre_dispatch"):
        assert f"### `{name}(" in text


def test_all_that_plugins_import_is_described() -> None:
    text = PAGES["sdk"]()
    for name in sdk.__all__:
        entry = text.partition(f"### `{name}")[2].partition("\n### ")[0]
        assert len(entry.split("\n\n")[1]) > 20, name


def test_every_command_says_what_it_is_for() -> None:
    for entry in PAGES["commands"]().split("\n## ")[1:]:
        name, _, text = entry.partition("\n\n")
        assert text.partition("\n")[0].endswith("."), name


def test_every_variable_that_the_settings_read_is_in_the_table_and_no_other() -> None:
    files = [ROOT / "saas/settings.py", *(ROOT / "saas/postgres").glob("*.py")]
    read = {name for path in files for pair in _READ.findall(path.read_text()) for name in pair if name}
    page = PAGES["settings"]().replace("_<wbr>", "_")  # where a long name may be broken
    told = set(re.findall(r"^\| <code>([A-Z_]+)</code> \|", page, re.M))
    assert read - told == {"TENANTRY_DEMO"}, "in the code alone; `manage.py demo` sets what is not for people"
    assert told - read <= {"PORT"}, "in the table alone"


@pytest.mark.parametrize("folder", ["howto", "operations", "reference"])
def test_the_first_page_of_a_folder_leads_to_all_its_others(folder: str) -> None:
    first = (ROOT / f"docs/{folder}/index.md").read_text("utf-8")
    others = [page.name for page in (ROOT / "docs" / folder).glob("*.md") if page.name != "index.md"]
    assert [name for name in sorted(others) if f"({name})" not in first] == []


def test_no_code_in_a_table_shows_the_backslash_before_a_bar() -> None:
    lines = [line for page in (ROOT / "docs").rglob("*.md") for line in page.read_text("utf-8").splitlines()]
    assert [line for line in lines if line.startswith("|") and re.search(r"`[^`]*\\\|[^`]*`", line)] == []


def test_a_list_stands_behind_an_empty_line_without_which_the_site_makes_a_paragraph_of_it() -> None:
    found = []
    for page in (ROOT / "docs").rglob("*.md"):
        text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
        found += [(page.name, start) for start in re.findall(r"^[^\s|-].*\n(- .{20})", text, re.M)]
    assert found == []
