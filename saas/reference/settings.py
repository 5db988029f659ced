"""The reference page of the settings: the README's table of variables, which a test compares with what the code reads."""

from __future__ import annotations

from django.conf import settings

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
    return "\n".join([_HEAD, *rows]).replace("](docs/", "](../") + "\n"
