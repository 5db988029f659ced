"""Run as a program: asks the host for pages as a browser would, and prints the answers. Knows of no plugin.

Standard input: a JSON list of {"host", "email", "path", "post"}; standard output: as long a list of {"status", "type", "text"}.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django


def main() -> None:
    """Ask for all of them, each visitor in a session of its own."""
    django.setup()
    print(json.dumps([_ask(**each) for each in json.load(sys.stdin)]))


def _ask(host: str, path: str, email: str = "", post: dict[str, str] | None = None) -> dict[str, Any]:
    from django.contrib.auth import get_user_model
    from django.test import Client

    from plugin_framework.tenancy import tenant_scope
    from tenants.directory import by_slug

    client = Client(headers={"host": host}, raise_request_exception=False)
    if email:
        entry = by_slug(host.split(".")[0])
        assert entry is not None
        with tenant_scope(entry.ref):
            client.force_login(get_user_model().objects.get(email=email))
    answer = client.get(path) if post is None else client.post(path, post)
    text = b"".join(answer) if answer.streaming else answer.content
    return {"status": answer.status_code, "type": answer.headers.get("Content-Type", ""), "text": text.decode()}


if __name__ == "__main__":
    main()
