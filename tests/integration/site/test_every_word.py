"""Every text of every page can be translated: in a language of brackets, nothing but data is outside of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.test import Client

from saas.testing.people import person
from tenants.provisioning import ensure_platform
from tests.conftest import Tenants
from tests.isolation.test_route_matrix import ask, undone
from tests.support.matrix import addresses, furnish, table
from tests.support.pseudo import bare, bracketed

DATA = re.compile(
    r"""[\w.+-]+@[\w.-]+            # mail addresses
    | \b[\w.-]*localhost[\w:./-]*   # hosts
    | https?://\S+
    | \b[A-Z]{3}\b                   # currencies
    | \b[a-z]+(?:_[a-z]+)+\b        # hook points
    | mark[0-9a-f]{24}              # what people have typed: names, titles
    | \b(?:Acme|Globex|Tenantry|tests|Slack|UTC|SMTP|EUR|VAT|CSV|JSON|HTTP|URL|English|Deutsch)\b
    """,
    re.VERBOSE,
)


def test_every_text_of_every_page_can_be_translated(tenants: Tenants, client_for: Callable[..., Client]) -> None:
    own = furnish(tenants.acme, foreign=False)
    owner = person(tenants.acme, "owner", "owner@acme.example")
    staff = person(platform := ensure_platform(), "owner", "staff@example.com")
    clients = {
        "public": client_for(), "tenant": client_for(tenants.acme, owner), "platform": client_for(platform, staff),
        "nobody": client_for(tenants.acme),
    }  # fmt: skip
    found: dict[str, set[str]] = {}
    with bracketed():
        for row in table().values():
            for who in [row.host, "nobody"] if row.host == "tenant" else [row.host]:
                for method in ("GET", "POST"):
                    path = addresses(row.route, own, own)["own"]
                    with undone():
                        answer: Any = ask(clients[who], method, path)
                    if answer.streaming:
                        b"".join(answer.streaming_content)  # or its file stays open
                    if answer.headers.get("Content-Type", "").startswith("text/html") and not answer.streaming:
                        for text in bare(answer.content.decode(), DATA):
                            found.setdefault(text, set()).add(f"{method} {path}")
    report = "\n".join(f"{text!r} at {sorted(where)[0]}" for text, where in sorted(found.items()))
    assert not found, f"Nobody can translate:\n{report}"
