"""Which delivery the running handler works for: its stable key, and what it may report back."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a plugin let be seen of its talk over HTTP. Never a path or a query: webhooks carry their secret there."""

    method: str = ""
    host: str = ""
    answer: str = ""  # the beginning of the body, without the secrets we know


NO_EXCHANGE = Exchange()


@dataclass(slots=True, eq=False)
class CurrentDelivery:
    """The delivery a handler is being called for.

    Attributes:
        key: the same in every attempt of this delivery; the other side can tell a repetition by it.
        attempt: 1 for the first.
        fence: of the claim under which it runs.
        called: whether its handler was reached: a payload that cannot be read says nothing of the plugin.
        sample: whether an admin has sent it, with arguments that were made up.
        marked: whether the handler's own transaction has marked it as delivered.
        response_status, exchange: set by whoever talked to the other side; shown to the tenant's admin.
    """

    id: int
    event_id: UUID
    plugin: str
    hook: str
    key: str
    attempt: int
    fence: int = 0
    response_status: int | None = None
    exchange: Exchange = NO_EXCHANGE
    called: bool = False
    marked: bool = False
    sample: bool = False

    def was_marked(self) -> None:
        """The mark is committed."""
        self.marked = True


_current: ContextVar[CurrentDelivery | None] = ContextVar("tenantry_delivery", default=None)


def current_delivery() -> CurrentDelivery | None:
    """The delivery whose handler is running, or None outside of the worker."""
    return _current.get()


def entered(delivery: CurrentDelivery | None) -> None:
    """Make `delivery` the current one; None when its handler has ended. For the worker, which runs one at a time."""
    _current.set(delivery)
