"""Signs messages as Standard Webhooks says, so that a receiver can check them with any of its libraries.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
_BYTES = 32  # the specification asks for 24 to 64


def new_secret() -> str:
    """A fresh signing secret, as receivers enter it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def headers(message: str, at: int, body: str, keys: Sequence[str]) -> dict[str, str]:
    """The headers of one attempt.

    Args:
        message: the message's id, the same in every attempt.
        at: of this attempt, in seconds since 1970; receivers refuse what is too old.
        keys: secrets as `new_secret` makes them; while one replaces another, both sign, the newer first.
    """
    signed = f"{message}.{at}.{body}".encode()
    return {
        "webhook-id": message,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{_signature(key, signed)}" for key in keys),
    }


def _signature(key: str, signed: bytes) -> str:
    raw = base64.b64decode(key.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(raw, signed, hashlib.sha256)).decode()
