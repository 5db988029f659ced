"""What an event handler may know and say of the delivery it is called for."""

from __future__ import annotations

from contextlib import AbstractContextManager

from plugin_framework.sdk._runtime import runtime


def delivery_key() -> str | None:
    """The running delivery's key, the same in every attempt: it tells a repetition from a new one. None elsewhere."""
    return runtime().delivery_key()


def delivery_answered(status: int) -> None:
    """Note what the other side answered (HTTP status, SMTP reply code), for the tenant's admin. Ignored elsewhere."""
    runtime().delivery_answered(status)


def exactly_once() -> AbstractContextManager[None]:
    """For an event handler whose whole effect is in the database: ``with exactly_once(): ...`` commits it together with its delivery.

    However often workers are killed, the block's work is there exactly once. Put nothing into it that reaches outside (a mail, a
    request): that is done at least once, with `delivery_key` to tell. Outside of the worker it is an ordinary transaction.
    """
    return runtime().exactly_once()
