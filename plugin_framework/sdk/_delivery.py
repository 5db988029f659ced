"""What an event handler may know and say of the delivery it is called for."""

from __future__ import annotations

from plugin_framework.sdk._runtime import runtime


def delivery_key() -> str | None:
    """The running delivery's key, the same in every attempt: it tells a repetition from a new one. None elsewhere."""
    return runtime().delivery_key()


def delivery_answered(status: int) -> None:
    """Note what the other side answered (HTTP status, SMTP reply code), for the tenant's admin. Ignored elsewhere."""
    runtime().delivery_answered(status)
