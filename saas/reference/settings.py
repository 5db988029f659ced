"""The reference page of the settings: the README's table of variables, which a test compares with what the code reads."""

from __future__ import annotations

import re

from django.conf import settings

_NAME = re.compile(r"^\| `([A-Z_]+)` \|")
_HEAD = """\
# Settings

Made from the README by `make docs`; a test compares it with the variables that the code reads. They come from the environment and are
checked at start.
"""


def page() -> str:
    """The page, in Markdown."""
    text = (settings.BASE_DIR / "README.md").read_text("utf-8")
    rows = [
        line for line in text.partition("\n## Configuration\n")[2].partition("\n## ")[0].splitlines() if line[:1] == "|"
    ]
    return "\n".join([_HEAD, *map(_breakable, rows)]).replace("](docs/", "](../") + "\n"


def _breakable(row: str) -> str:
    """With a long name broken at its underscores where a narrow window has no room for it."""
    return _NAME.sub(lambda found: f"| <code>{found[1].replace('_', '_<wbr>')}</code> |", row)
