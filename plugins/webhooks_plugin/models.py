"""Endpoints, what was tried, and what waits for an endpoint that does not answer. Only `services` and `sending` write them."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone

from plugin_framework.sdk import PluginModel, SealedField
from plugins.webhooks_plugin.events import NAMES, TEST

PLUGIN, PURPOSE = "webhooks", "signing"  # which the secrets are sealed for


class Endpoint(PluginModel):
    """One address that is told what happens.

    Attributes:
        events: the types it wants; `every_event` takes those that come to be later too.
        off_because: why it was switched off, if nobody did it by hand.
        old_secret: signs too, until `old_until`.
        failures: attempts that have failed in a row; `failing_since`: since when; `rest_until`: no message is tried before then.
        probe: the id of the one message that is tried again meanwhile.
    """

    plugin_name = models.CharField(max_length=100, default=PLUGIN, editable=False)
    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=200, blank=True, default="")
    every_event = models.BooleanField(default=True)
    events = models.JSONField(default=list, blank=True)
    active = models.BooleanField(default=True)
    off_because = models.CharField(max_length=500, blank=True, default="")
    secret = SealedField(purpose=PURPOSE)
    secret_unseen = models.BooleanField(default=True)
    old_secret = SealedField(purpose=PURPOSE, blank=True, default="")
    old_until = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    rest_until = models.DateTimeField(null=True, blank=True)
    probe = models.CharField(max_length=100, blank=True, default="")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.description or self.host

    @property
    def host(self) -> str:
        """What of the URL may be read aloud: its path is often a secret."""
        return self.url.partition("://")[2].partition("/")[0].partition("?")[0]

    @property
    def event_names(self) -> list[str]:
        """What it wants, in words."""
        return [NAMES.get(each, each) for each in self.events]

    def wants(self, event: str) -> bool:
        """Whether an event of this type is for it."""
        return self.every_event or event in self.events or event == TEST

    def rests(self, now: datetime) -> bool:
        """Whether it failed so lately that nothing is tried just now."""
        return self.rest_until is not None and self.rest_until > now

    @property
    def old_secret_signs(self) -> bool:
        """Whether the secret before this one is still good."""
        return bool(self.old_secret) and self.old_until is not None and self.old_until > timezone.now()


class Attempt(models.Model):
    """One request to an endpoint, and what came of it."""

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="attempts")
    message = models.CharField(max_length=100)
    event = models.CharField(max_length=100)
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=500, blank=True, default="")  # empty: it arrived

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["endpoint", "message"], name="webhooks_of_message")]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint_id}: {self.error or self.status}"


class Waiting(models.Model):
    """A message to an endpoint that does not answer: it goes out once another one has arrived there.

    Attributes:
        owed_by: the key of the delivery that is tried again meanwhile, if this message is the probe.
        released: it went out by another delivery; the row is there for the one in `owed_by`, which need not come any more.
    """

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="waiting")
    message = models.CharField(max_length=100)
    event = models.CharField(max_length=100)
    body = models.TextField()
    owed_by = models.CharField(max_length=100, blank=True, default="")
    released = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "waiting"
        constraints = [models.UniqueConstraint(fields=["endpoint", "message"], name="webhooks_wait_once")]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint_id}"
