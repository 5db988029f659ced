"""The part of `manage.py tenants` that gives an organisation further hosts, and takes them away."""

from __future__ import annotations

from plugin_framework.audit import COMMAND_LINE
from tenants import domains

ACTIONS = ("add-host", "remove-host")


def act(action: str, slug: str, host: str) -> dict[str, str]:
    """Do it, and say what was done.

    Raises:
        NoSuchTenant, NotPossible: as the functions do.
    """
    change = domains.add if action == "add-host" else domains.remove
    return {
        "slug": slug,
        "host": change(slug, host, COMMAND_LINE),
        "done": "added" if action == "add-host" else "removed",
    }
