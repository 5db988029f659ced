"""What came of an attempt: delivered, to be tried again, or given up, with the reason in plain words."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from plugin_framework.delivery.context import NO_EXCHANGE, Exchange
from plugin_framework.delivery.retry import MAX_ATTEMPTS, wait_after
from plugin_framework.masking import masked
from plugin_framework.models.delivery import AttemptOutcome, DeliveryState
from plugin_framework.sdk import DeadLetter, NetworkError, PluginError, RetryLater
from plugin_framework.sdk._calling import FromOutside
from plugin_framework.sdk._words import Phrase

MAX_ERROR = 500
MAX_ANSWER = 1024  # characters of an answer that are kept
_ONCE = Phrase("A sample is tried once. %(what)s")
_GAVE_UP = Phrase("Given up after %(number)s attempts. The last one: %(what)s")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class DeadlineExceeded(FromOutside):
    """Raised inside a handler whose time is up. Not an Exception, so that a handler's own ``except Exception`` lets it through."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended and what happens to its delivery now. `wait`: seconds until the next attempt, if there is one."""

    state: DeliveryState
    attempt: AttemptOutcome
    error: str = ""
    wait: float | None = None
    duration_ms: int | None = None
    response_status: int | None = None
    exchange: Exchange = NO_EXCHANGE


def delivered(duration_ms: int, response_status: int | None, exchange: Exchange = NO_EXCHANGE) -> Outcome:
    """The handler returned."""
    return Outcome(DeliveryState.DONE, AttemptOutcome.DONE, "", None, duration_ms, response_status, exchange)


def failed(
    error: BaseException,
    attempt: int,
    duration_ms: int,
    response_status: int | None = None,
    exchange: Exchange = NO_EXCHANGE,
    *,
    once: bool = False,
) -> Outcome:
    """The handler raised `error` in its `attempt`-th attempt; `once`: there are no others, because somebody is looking at it."""
    status = getattr(error, "status", None)
    status = status if isinstance(status, int) and 0 < status < 1000 else response_status
    wait, text = None, describe(error)
    if once:
        text = _tidy(_ONCE(what=text).english)
    elif not (isinstance(error, DeadLetter) or (isinstance(error, NetworkError) and error.permanent)):
        wait = wait_after(attempt, random.random(), _asked(error))  # noqa: S311  # spreads load, guards nothing
        text = text if wait is not None else gave_up(text)
    state = DeliveryState.DEAD if wait is None else DeliveryState.DUE
    return Outcome(state, AttemptOutcome.FAILED, text, wait, duration_ms, status, exchange)


def cut_short(
    reason: str, attempt: int, duration_ms: int | None, *, at_once: bool = False, once: bool = False
) -> Outcome:
    """The process that ran the attempt was killed or died; `at_once`: through no fault of the handler's, so there is no wait."""
    wait = None if once else wait_after(attempt, random.random())  # noqa: S311  # spreads load, guards nothing
    text = _tidy(reason if wait is not None or once else gave_up(reason))
    state = DeliveryState.DEAD if wait is None else DeliveryState.DUE
    kind = AttemptOutcome.INTERRUPTED if at_once else AttemptOutcome.KILLED
    return Outcome(state, kind, text, 0.0 if at_once and wait is not None else wait, duration_ms)


def gave_up(text: str) -> str:
    """`text` as the reason of a delivery whose attempts are used up."""
    return _tidy(_GAVE_UP(number=MAX_ATTEMPTS, what=text).english)


def describe(error: BaseException) -> str:
    """`error` in plain words, for the tenant's admin: our own errors speak for themselves, others with their name in front."""
    if isinstance(error, DeadlineExceeded):
        return _tidy(str(error))
    try:
        message = str(error)
    except Exception:  # noqa: BLE001  # a plugin's exception may fail even here
        message = ""
    if isinstance(error, (PluginError, NetworkError)) and message:
        return _tidy(message)
    return _tidy(f"{type(error).__name__}: {message}" if message else type(error).__name__)


def _asked(error: BaseException) -> float | None:
    if isinstance(error, RetryLater):
        return error.after
    return error.retry_after if isinstance(error, NetworkError) else None


def exchanged(method: str, host: str, answer: str) -> Exchange:
    """What may be kept of a talk over HTTP: `answer` is cut only after the secrets in it are hidden, so that no half of one stays."""
    return Exchange(_tidy(method, 20), _tidy(host, 255), _tidy(answer, MAX_ANSWER))


def _tidy(text: str, most: int = MAX_ERROR) -> str:
    """What the database can hold and a page can show: no secrets, no control characters, at most `most` characters."""
    text = _CONTROL.sub(" ", masked(text)).strip()
    return text if len(text) <= most else text[: most - 1] + "…"
