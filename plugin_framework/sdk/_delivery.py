"""What an event handler may know and say of the delivery it is called for."""

from __future__ import annotations

from contextlib import AbstractContextManager

from plugin_framework.sdk._runtime import runtime
from plugin_framework.sdk.net import HttpResponse


def delivery_key() -> str | None:
    """The running delivery's key, the same in every attempt: it tells a repetition from a new one. None elsewhere."""
    return runtime().delivery_key()


def delivery_is_sample() -> bool:
    """Whether the running delivery is a sample that an admin has sent, with arguments that were made up.

    A handler that keeps something, such as an invoice, should not do so for a sample; one that sends something should say in it that it
    is one. What it emits itself is marked as a sample too. False outside of a delivery.
    """
    return runtime().delivery_is_sample()


def delivery_answered(answer: int | HttpResponse) -> None:
    """Note what the other side answered, for the tenant's admin. Ignored outside of a delivery.

    Args:
        answer: an HTTP status or SMTP reply code; or what `self.http` returned, if the admin may read the answer: then the
            method, the host and the first 1,024 characters of the body are kept with the attempt, without the secrets that the
            platform knows. Path, query and headers are not.
    """
    runtime().delivery_answered(answer)


def exactly_once() -> AbstractContextManager[None]:
    """For an event handler whose whole effect is in the database: ``with exactly_once(): ...`` commits it together with its delivery.

    However often workers are killed, the block's work is there exactly once. Put nothing into it that reaches outside (a mail, a
    request): that is done at least once, with `delivery_key` to tell. Outside of the worker it is an ordinary transaction.
    """
    return runtime().exactly_once()
