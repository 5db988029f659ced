"""Makes whatever Django signs good in the tenant it was signed in, and nowhere else.

`Signer`, `TimestampSigner`, `signing.dumps`, signed cookies, the messages' cookie: all of them end in `Signer.signature`, so that is where
the schema goes in. Plugins and third-party packages need not know of it.
"""

from __future__ import annotations

import functools
from typing import Any

from django.core.signing import Signer

from plugin_framework.tenancy import PUBLIC, tenant_or_none


def bind_signers() -> None:
    """Teach Django's signers, once per process, which tenant they sign for; outside of every tenant it is the public host."""
    original = Signer.signature
    if signers_are_bound():
        return

    @functools.wraps(original)
    def signature(self: Signer, value: str | bytes, key: str | bytes | None = None) -> str:
        tenant = tenant_or_none()
        owner = tenant.schema if tenant else PUBLIC
        # The length first: what is signed for one owner can never look like another value of another owner.
        return original(self, f"{len(owner)}:{owner}:{_text(value)}", key)

    signature.carries_the_tenant = True  # type: ignore[attr-defined]  # marks that it is done
    Signer.signature = signature  # type: ignore[method-assign]  # Django offers no hook for this


def signers_are_bound() -> bool:
    """Whether what is signed carries the tenant."""
    return hasattr(Signer.signature, "carries_the_tenant")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
