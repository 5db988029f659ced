"""Looks at an installation, as a process of its own: signs in, opens what is sealed, reads a file. Prints what came of it."""

from __future__ import annotations

import json
import sys


def main(email: str, password: str) -> None:
    """Look at `acme`."""
    import django

    django.setup()
    from django.test import Client

    from plugin_framework import activation, files
    from plugin_framework.sdk import SecretLost, unseal
    from plugin_framework.tenancy import tenant_scope
    from plugins.webhooks_plugin.models import Endpoint
    from tenants import directory

    entry = directory.by_slug("acme")
    assert entry is not None
    signed_in = Client(headers={"host": entry.ref.host}).post(
        "/accounts/login/", {"login": email, "password": password}
    )
    with tenant_scope(entry.ref):
        try:
            opens = bool(unseal("webhooks", "signing", Endpoint.objects.get().secret))
        except SecretLost:
            opens = False
        slack = activation.current().decision("slack_notifications").text
        kept = [path.read_text() for _, path in files.walk(entry.ref.schema)]
    found = {"signed in": signed_in.status_code == 302, "opens": opens, "slack": slack, "files": kept}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
