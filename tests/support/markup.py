"""What a page's HTML must not have in it under our policy: code and style that do not come from a file of ours."""

from __future__ import annotations

from html.parser import HTMLParser


class _Inline(HTMLParser):
    """Collects what the policy would block, and what would lead around it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: (value or "") for name, value in attrs}
        if tag == "style" or (tag == "script" and "src" not in said):
            self.found.append(f"<{tag}> with its text on the page")
        for name, value in said.items():
            if name == "style" or name.startswith(("on", "hx-on", "hx-vars")):
                self.found.append(f"<{tag} {name}={value!r}>")
            if name in ("href", "src", "action", "formaction") and value.strip().lower().startswith(
                ("javascript:", "data:")
            ):
                self.found.append(f"<{tag} {name}={value!r}>")
            if name.startswith("hx-") and ("js:" in value or ("[" in value and name == "hx-trigger")):
                self.found.append(f"<{tag} {name}={value!r}>, which htmx would have to evaluate")
        elsewhere = said.get("src", "") or (said.get("href", "") if tag == "link" else "")
        if elsewhere.startswith(("http:", "https:", "//")):
            self.found.append(f"<{tag}> from {elsewhere}")


def inline(page: str) -> list[str]:
    """What in `page` breaks the policy."""
    parser = _Inline()
    parser.feed(page)
    parser.close()
    return parser.found
