"""What axe-core finds on a page that keeps people out: those who use the keyboard alone, a screen reader, or see little contrast."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from playwright.sync_api import Page

SERIOUS = {"serious", "critical"}
_RUN = """async (options) => {
    const found = await axe.run(document, options);
    return found.violations.map(({id, impact, help, nodes}) =>
        ({id, impact, help, nodes: nodes.slice(0, 5).map(({target, failureSummary}) => ({target, failureSummary}))}));
}"""


def barriers(page: Page, *rules: str) -> list[str]:
    """What is serious or critical on the page as it is shown now, a sentence each.

    Args:
        rules: of axe-core, to look at these alone; all that it holds for WCAG 2.2 AA and good practice if none are named.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    found = page.evaluate(_RUN, options)
    return [_sentence(each) for each in found if each["impact"] in SERIOUS]


@cache
def _axe() -> str:
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def _sentence(violation: dict[str, Any]) -> str:
    where = "; ".join(f"{node['target']}: {node['failureSummary']}" for node in violation["nodes"])
    return f"{violation['id']} ({violation['impact']}): {violation['help']}. {where}"
