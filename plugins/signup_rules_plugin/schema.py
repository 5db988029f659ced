"""The settings of the sign-up rules, as JSON Schema."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

DOMAINS, PEOPLE = "Domains", "People"
MOST_DOMAINS, MOST_ADDRESSES = 200, 200  # as many rows as the form shows
MESSAGE = gettext_noop(
    "Nobody can register here with an address at {{domain}}. Use the address your organisation gave you."
)


def config_schema() -> dict[str, Any]:
    """A fresh copy of the schema."""
    properties = {**_domains(), **_people()}
    for position, field in enumerate(properties.values()):
        field["x-order"] = position
    return {"type": "object", "properties": properties}


def _domains() -> dict[str, Any]:
    return {
        "allowed_domains": _list(
            "Allowed domains",
            "What stands after the @ of people who may register. With none, everybody may who is not blocked.",
        ),
        "allow_subdomains": {
            "type": "boolean",
            "title": "Allow their subdomains too",
            "description": "With example.com, berlin.example.com is allowed as well.",
            "default": False,
            "x-group": DOMAINS,
        },
        "blocked_domains": _list(
            "Blocked domains",
            "People who may not register, those at subdomains included. Blocked is stronger than allowed.",
        ),
    }


def _people() -> dict[str, Any]:
    return {
        "allowed_addresses": {
            "type": "array",
            "title": "People who may register all the same",
            "description": "Single addresses outside of the domains: a guest, say. People you invite are judged by these rules too.",
            "items": {"type": "string", "format": "email", "maxLength": 254, "x-placeholder": "guest@example.net"},
            "maxItems": MOST_ADDRESSES,
            "default": [],
            "x-group": PEOPLE,
        },
        "message": {
            "type": "string",
            "title": "What the others are told",
            "description": "You can use {{domain}}, which stands for the domain they came with. "
            "Left as it is, it is shown in the reader’s language; your own is shown as you write it.",
            "default": MESSAGE,
            "minLength": 1,
            "maxLength": 300,
            "x-multiline": True,
            "x-group": PEOPLE,
        },
    }


def _list(title: str, description: str) -> dict[str, Any]:
    return {
        "type": "array",
        "title": title,
        "description": description,
        # Not the format "hostname": it knows ASCII only. `rules.faults` judges each entry, and names it.
        "items": {"type": "string", "minLength": 1, "maxLength": 253, "x-placeholder": "example.com"},
        "maxItems": MOST_DOMAINS,
        "default": [],
        "x-group": DOMAINS,
    }
