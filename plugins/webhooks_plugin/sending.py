"""Posts one message to one endpoint and notes what came of it.

All messages of a tenant share one queue, so an endpoint that does not answer must not hold it up. After a failure one message, the
probe, is tried again by the platform's own schedule; the others wait in a table of ours, and now and then a new one is tried too. The
first that arrives lets those that wait follow, a few at a time.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from plugin_framework.sdk import (
    DeadLetter,
    NetworkError,
    Phrase,
    RetryLater,
    SecretLost,
    delivery_answered,
    delivery_key,
    emit,
    exactly_once,
    unseal,
)
from plugin_framework.sdk.net import HttpClient
from plugins.webhooks_plugin import signing
from plugins.webhooks_plugin.models import PLUGIN, PURPOSE, Attempt, Endpoint, Waiting

TIMEOUT = 10.0  # seconds for one request: how long one endpoint can keep the others waiting
PAUSES = (30, 60, 120, 240, 480, 900)  # seconds without a trial after so many failures in a row
GIVE_UP = timedelta(hours=60)  # before the last of the platform's ten attempts, which comes after 68 hours or more
PROBE_LOST = timedelta(hours=30)  # longer than any wait between two attempts
MOST_WAITING = 10_000
AT_ONCE = 100  # that follow one which arrived
KEPT = 500  # attempts of one endpoint
GONE = 410
_IS_GONE = Phrase("It answered 410 (Gone), which means that it wants no more messages.")
_NOTHING_ARRIVED = Phrase("Nothing has arrived there for more than %(hours)s hours. %(why)s")
_TOO_MANY_WAIT = Phrase("It does not answer, and more messages waited for it than can be kept.")
_SWITCHED_OFF = Phrase("%(host)s was switched off. %(why)s")
SECRET_LOST = Phrase(
    "Its secret cannot be opened any more. Give it a new one, and enter that where the messages arrive."
)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted. `id` is the same in every attempt."""

    id: str
    event: str
    body: str


@dataclass(frozen=True, slots=True)
class Result:
    """What an endpoint answered: its `status` if it did, and in words what is wrong, or nothing."""

    status: int | None
    error: str
    duration_ms: int
    retry_after: float | None = None


def deliver(http: HttpClient, endpoint_id: int, message: Message) -> None:
    """Post `message`, or let it wait if the endpoint rests. One that is gone or switched off gets nothing.

    Raises:
        RetryLater: it did not arrive, and is the message to be tried again. DeadLetter: the endpoint says that it is gone.
    """
    endpoint = Endpoint.objects.filter(pk=endpoint_id, active=True).first()
    if endpoint is None:
        log.info("Message %s was not sent: its endpoint is gone or switched off", message.id)
        return
    if _went_out_already(endpoint, message):
        return
    if endpoint.probe != message.id and endpoint.rests(timezone.now()):
        _wait(endpoint, message)
        return
    result = post(http, endpoint, message, TIMEOUT)
    if result.status is not None:
        delivery_answered(result.status)
    if not result.error:
        with exactly_once():
            _arrived(endpoint_id, message, result)
    else:
        _failed(endpoint, message, result)


def send_test(http: HttpClient, endpoint: Endpoint, message: Message) -> Result:
    """Post `message` now and note what came of it; a failure changes nothing else, and a success lets those that wait follow."""
    result = post(http, endpoint, message, TIMEOUT / 2)
    with transaction.atomic():
        if result.error:
            _note(endpoint.pk, message, result)
        else:
            _arrived(endpoint.pk, message, result)
        if result.status == GONE:
            switch_off(endpoint, _IS_GONE.text)
    return result


def post(http: HttpClient, endpoint: Endpoint, message: Message, timeout: float) -> Result:
    """One request, signed with the endpoint's secret, and with the one before it as long as that is good."""
    begun = time.monotonic()
    try:
        response = http.post(
            endpoint.url,
            body=message.body.encode(),
            headers={"Content-Type": "application/json", **_signed(endpoint, message)},
            timeout=timeout,
        )
        response.raise_for_status()
    except NetworkError as error:
        return Result(error.status, str(error), _since(begun), error.retry_after)
    except SecretLost:  # this endpoint's trouble, and not to be the others' (see `_failed`)
        return Result(None, SECRET_LOST.text, _since(begun))
    return Result(response.status, "", _since(begun))


def _signed(endpoint: Endpoint, message: Message) -> dict[str, str]:
    sealed = [endpoint.secret, *([endpoint.old_secret] if endpoint.old_secret_signs else [])]
    keys = [unseal(PLUGIN, PURPOSE, each) for each in sealed]
    return signing.headers(message.id, int(time.time()), message.body, keys)


def switch_off(endpoint: Endpoint, because: str) -> None:
    """Stop sending to an endpoint, with the reason for its page; what waited for it is dropped."""
    Endpoint.objects.filter(pk=endpoint.pk).update(
        active=False, off_because=because[:500], failures=0, failing_since=None, rest_until=None, probe=""
    )
    Waiting.objects.filter(endpoint=endpoint).delete()
    log.warning("Endpoint %s was switched off: %s", endpoint.pk, because)


def _arrived(pk: int, message: Message, result: Result) -> None:
    """It works: note it, and let what waited follow."""
    _note(pk, message, result)
    Endpoint.objects.filter(pk=pk).update(
        last_success_at=timezone.now(), failures=0, failing_since=None, rest_until=None, probe=""
    )
    Waiting.objects.filter(endpoint=pk, message=message.id, released=False).delete()
    following = list(Waiting.objects.select_for_update().filter(endpoint=pk, released=False)[:AT_ONCE])
    for each in following:
        emit("webhook_due", pk, each.message, each.event, each.body)
    gone = Waiting.objects.filter(pk__in=[each.pk for each in following])
    gone.exclude(owed_by="").update(released=True)
    gone.filter(owed_by="").delete()


def _went_out_already(endpoint: Endpoint, message: Message) -> bool:
    """Whether another delivery has taken this one's message along, when the endpoint worked before its turn came."""
    with transaction.atomic():
        gone, _ = Waiting.objects.filter(
            endpoint=endpoint, message=message.id, released=True, owed_by=delivery_key() or "-"
        ).delete()
    return bool(gone)


def _failed(endpoint: Endpoint, message: Message, result: Result) -> None:
    """Note the failure, and decide what becomes of the message.

    Mostly `RetryLater`: the platform lets a plugin rest that fails again and again, and here that would be one endpoint's failures
    silencing the others.

    Raises:
        RetryLater, DeadLetter: as `deliver` says.
    """
    because = ""
    with transaction.atomic():
        row = Endpoint.objects.select_for_update().filter(pk=endpoint.pk, active=True).first()
        if row is None:
            return
        _note(row.pk, message, result)
        probe = _count_failure(row, message, result)
        if result.status == GONE:
            because = _IS_GONE.text
        elif timezone.now() - (row.failing_since or timezone.now()) > GIVE_UP:
            hours = f"{GIVE_UP / timedelta(hours=1):g}"
            because = _NOTHING_ARRIVED(hours=hours, why=result.error).english
        if because:
            switch_off(row, because)
        elif probe:
            _keep(row, message, delivery_key() or "")
    if because:
        raise DeadLetter(_SWITCHED_OFF(host=endpoint.host, why=because).english)
    if probe:
        raise RetryLater(result.error, after=result.retry_after)
    _wait(endpoint, message)


def _count_failure(row: Endpoint, message: Message, result: Result) -> bool:
    """Write the failure down; whether `message` is the one that is tried again."""
    now = timezone.now()
    lost = row.last_failure_at is not None and now - row.last_failure_at > PROBE_LOST
    if not row.probe or lost:
        row.probe = message.id
    row.failures += 1
    row.failing_since = row.failing_since or now
    row.last_failure_at = now
    pause = PAUSES[min(row.failures, len(PAUSES)) - 1]
    row.rest_until = now + timedelta(seconds=max(pause, result.retry_after or 0))
    row.save(update_fields=["probe", "failures", "failing_since", "last_failure_at", "rest_until"])
    return row.probe == message.id


def _wait(endpoint: Endpoint, message: Message) -> None:
    """Keep the message until the endpoint works again. That is all that becomes of this delivery, so it ends with it."""
    with exactly_once():
        _keep(endpoint, message, "")
        if Waiting.objects.filter(endpoint=endpoint).count() > MOST_WAITING:
            switch_off(endpoint, _TOO_MANY_WAIT.text)


def _keep(endpoint: Endpoint, message: Message, owed_by: str) -> None:
    row = Waiting(endpoint=endpoint, message=message.id, event=message.event, body=message.body, owed_by=owed_by)
    Waiting.objects.bulk_create([row], ignore_conflicts=True)


def _note(pk: int, message: Message, result: Result) -> None:
    """Write an attempt into the endpoint's log, and forget its oldest."""
    of_message = Attempt.objects.filter(endpoint=pk, message=message.id)
    Attempt.objects.create(
        endpoint_id=pk,
        message=message.id,
        event=message.event,
        number=(of_message.aggregate(Max("number"))["number__max"] or 0) + 1,
        at=timezone.now(),
        duration_ms=result.duration_ms,
        status=result.status,
        error=result.error[:500],
    )
    oldest = Attempt.objects.filter(endpoint=pk).order_by("-id").values_list("pk", flat=True)[KEPT : KEPT + 1]
    for limit in oldest:
        Attempt.objects.filter(endpoint=pk, pk__lte=limit).delete()


def _since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
