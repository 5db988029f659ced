"""Secrets that a plugin keeps in its own tables: sealed before they are stored, opened where they are used."""

from __future__ import annotations

from plugin_framework.sdk._runtime import runtime


def seal(plugin: str, purpose: str, text: str) -> str:
    """`text`, readable only by `unseal` in the current tenant with the same plugin and purpose. Keep it in a `SealedField`.

    Args:
        plugin: the plugin's own name. `purpose`: what the secret is for, in a word; as in the column's `SealedField`.

    Raises:
        NoTenant: outside of a tenant. NotAllowed: no plugin is called so.
    """
    return runtime().seal(plugin, purpose, text)


def unseal(plugin: str, purpose: str, sealed: str) -> str:
    """What `seal` was given. From now on it is hidden wherever it appears in logs, errors and pages of the tenant.

    Raises:
        SecretLost: it was sealed elsewhere, or with a key that the platform does not have any more.
        NoTenant: outside of a tenant. NotAllowed: no plugin is called so.
    """
    return runtime().unseal(plugin, purpose, sealed)
