"""Everything that people change: one function each, one transaction each."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext

from plugin_framework.sdk import PluginError, SecretLost, delivery_key, emit, exactly_once, seal, unseal
from plugin_framework.sdk.net import HttpClient
from plugins.webhooks_plugin import events, queries, sending, signing
from plugins.webhooks_plugin.events import Event
from plugins.webhooks_plugin.models import PLUGIN, PURPOSE, Endpoint, Waiting
from plugins.webhooks_plugin.sending import Message, Result

MOST = 50  # endpoints of one organisation
OVERLAP = timedelta(hours=24)  # for which a replaced secret still signs
_CALM = {"failures": 0, "failing_since": None, "rest_until": None, "probe": ""}
log = logging.getLogger(__name__)


class TooMany(PluginError):
    """There are as many as there may be; the text tells the person what to do."""


def fan_out(event: Event) -> None:
    """Owe `event` to each endpoint that wants it: one delivery each, so that none is repeated because another one fails."""
    key = delivery_key()
    with exactly_once():
        for endpoint in Endpoint.objects.filter(active=True):
            if endpoint.wants(event.type):
                emit("webhook_due", endpoint.pk, _message_id(key, endpoint.pk), event.type, event.body)


def add(endpoint: Endpoint, actor: Any) -> Endpoint:
    """Save a new endpoint with a secret of its own.

    Raises:
        TooMany: there are `MOST` already.
    """
    with transaction.atomic():
        _one_at_a_time()
        if Endpoint.objects.count() >= MOST:
            raise TooMany(
                gettext(
                    "This organisation has as many endpoints as it may have. Delete one that is not needed any more."
                )
            )
        endpoint.secret, endpoint.secret_unseen = seal(PLUGIN, PURPOSE, signing.new_secret()), True
        endpoint.created_by = actor
        endpoint.save()
    _log(endpoint.pk, "added", actor)
    return endpoint


def change(endpoint: Endpoint, actor: Any) -> None:
    """Save what the form has changed. A new address begins without the failures of the old one, and what waits is tried there."""
    with transaction.atomic():
        before = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
        endpoint.save(update_fields=["url", "description", "every_event", "events", "updated_at"])
        if before.url != endpoint.url:
            Endpoint.objects.filter(pk=endpoint.pk).update(rest_until=None)
    _log(endpoint.pk, "changed", actor)


def switch_on(pk: int, actor: Any) -> None:
    """Send to an endpoint again, from now on.

    Raises:
        Endpoint.DoesNotExist: there is no such endpoint.
    """
    with transaction.atomic():
        _locked(pk)
        Endpoint.objects.filter(pk=pk).update(active=True, off_because="", **_CALM)
    _log(pk, "switched on", actor)


def switch_off(pk: int, actor: Any) -> None:
    """Send nothing to an endpoint any more; what waits for it is dropped.

    Raises:
        Endpoint.DoesNotExist: there is no such endpoint.
    """
    with transaction.atomic():
        sending.switch_off(_locked(pk), "")
    _log(pk, "switched off", actor)


def delete(pk: int, actor: Any) -> None:
    """Delete an endpoint, its log and what waits for it; nothing if it is gone already."""
    with transaction.atomic():
        Endpoint.objects.filter(pk=pk).delete()
    _log(pk, "deleted", actor)


def replace_secret(pk: int, actor: Any) -> None:
    """Make a new secret; the one before it, if it can be opened, signs too for `OVERLAP`: receivers can be changed without a gap.

    Raises:
        Endpoint.DoesNotExist: there is no such endpoint.
    """
    with transaction.atomic():
        row = _locked(pk)
        row.old_secret = row.secret if _opens(row.secret) else ""
        row.old_until = timezone.now() + OVERLAP if row.old_secret else None
        row.secret, row.secret_unseen = seal(PLUGIN, PURPOSE, signing.new_secret()), True
        row.save(update_fields=["secret", "secret_unseen", "old_secret", "old_until", "updated_at"])
    _log(pk, "given a new secret", actor)


def reveal_secret(pk: int, actor: Any) -> str | None:
    """The secret, the first time somebody asks for it after it was made; None afterwards.

    Raises:
        Endpoint.DoesNotExist: there is no such endpoint. SecretLost: it cannot be opened any more.
    """
    with transaction.atomic():
        row = _locked(pk)
        if not row.secret_unseen:
            return None
        secret = unseal(PLUGIN, PURPOSE, row.secret)
        Endpoint.objects.filter(pk=pk).update(secret_unseen=False)
    _log(pk, "asked for its secret", actor)
    return secret


def send_test(http: HttpClient, endpoint: Endpoint, organisation: str) -> Result:
    """Post a test event now, whatever the endpoint wants and whether it is switched on or not."""
    event = events.test(organisation)
    return sending.send_test(http, endpoint, Message(_message_id(None, endpoint.pk), event.type, event.body))


def forget_what_waits() -> None:
    """The plugin is being disabled, and its deliveries are cancelled: what waits here goes with them."""
    Waiting.objects.all().delete()
    Endpoint.objects.exclude(probe="").update(**_CALM)


def forget_person(emails: tuple[str, ...], user_id: int | None) -> int:
    """Drop the messages that wait and name one of these addresses, and who entered which endpoint; how many rows that were.

    Where one of them is the message that is tried again, its own delivery finds the person gone.
    """
    with transaction.atomic():
        dropped, _ = queries.waiting_about(emails).delete()
        if user_id is None:
            return dropped
        return dropped + Endpoint.objects.filter(created_by=user_id).update(created_by=None)


def _message_id(key: str | None, endpoint: int) -> str:
    """The same whenever it is made for the same delivery and endpoint; without a delivery, a fresh one."""
    return f"msg_{uuid5(UUID(key) if key else uuid4(), f'endpoint:{endpoint}').hex}"


def _opens(sealed: str) -> bool:
    try:
        unseal(PLUGIN, PURPOSE, sealed)
    except SecretLost:
        return False
    return True


def _one_at_a_time() -> None:
    """Those who add endpoints at the same time wait for each other, until the transaction ends: else they could exceed the most."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.webhooks'))")


def _locked(pk: int) -> Endpoint:
    return Endpoint.objects.select_for_update().get(pk=pk)


def _log(pk: int, what: str, actor: Any) -> None:
    log.info("Endpoint %s was %s by %s", pk, what, actor.pk)
