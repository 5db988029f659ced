"""The deliveries of a tenant: one row per event and handler, and one per attempt."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DeliveryState(models.TextChoices):
    """Where a delivery stands."""

    DUE = "due", _("Waiting")
    DONE = "done", _("Delivered")
    DEAD = "dead", _("Given up")
    CANCELLED = "cancelled", _("Cancelled")


class Standing(models.TextChoices):
    """Where a delivery stands, as people ask for it: "due" means four things to them."""

    RUNNING = "running", _("Running now")
    WAITING = "waiting", _("Waiting")
    RETRYING = "retrying", _("Retrying")
    HELD = "held", _("Held")
    DONE = "done", _("Delivered")
    DEAD = "dead", _("Given up")
    CANCELLED = "cancelled", _("Cancelled")


class AttemptOutcome(models.TextChoices):
    """How one attempt ended."""

    DONE = "done", _("Delivered")
    FAILED = "failed", _("Failed")
    KILLED = "killed", _("Stopped")
    INTERRUPTED = "interrupted", _("Interrupted")


class Delivery(models.Model):
    """An event on its way to one handler. Written by `emit` in the business transaction, afterwards by the worker alone.

    A row that is due, was started and has not finished is either running now or was cut off together with its worker.
    """

    event_id = models.UUIDField()
    hook = models.CharField(max_length=100)
    plugin = models.CharField(max_length=100)
    handler = models.CharField(max_length=100)
    payload = models.JSONField()  # the event's arguments, as `payload.freeze` made them
    idempotency_key = models.UUIDField(unique=True)  # made from event, plugin and handler: the same in every attempt
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Made before an admin had it delivered again; the retry schedule counts from there.
    attempts_before = models.PositiveSmallIntegerField(db_default=0)
    next_at = models.DateTimeField(db_default=Now())
    fence = models.BigIntegerField(
        default=0
    )  # of the claim under which it was last touched; an older one changes nothing
    held_since = models.DateTimeField(null=True)  # its plugin has not been running since then
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    last_error = models.CharField(max_length=500, blank=True, default="")
    response_status = models.PositiveSmallIntegerField(null=True)
    sample = models.BooleanField(db_default=False)  # an admin has sent it, with arguments that were made up

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["plugin", "next_at", "id"], name="delivery_due", condition=models.Q(state="due")),
            models.Index(fields=["plugin", "-id"], name="delivery_list"),
            # The few that did not arrive, among the many that did. No delivery that goes well pays for it.
            models.Index(
                fields=["state", "id"], name="delivery_failed", condition=models.Q(state__in=("dead", "cancelled"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hook} to {self.plugin}.{self.handler}: {self.state}"

    @property
    def standing(self) -> Standing:
        """Where it stands, in one word."""
        if self.state != DeliveryState.DUE:
            return Standing(self.state)
        if self.started_at is not None and self.finished_at is None:
            return Standing.RUNNING
        if self.held_since is not None:
            return Standing.HELD
        return Standing.RETRYING if self.attempts > self.attempts_before else Standing.WAITING

    @property
    def next_try(self) -> datetime | None:
        """When it is tried next; None if it is not, or if that time has come and it waits for its turn alone."""
        return self.next_at if self.state == DeliveryState.DUE and self.next_at > timezone.now() else None


class DeliveryAttempt(models.Model):
    """One call of a handler, or a call that was cut short."""

    # Written in one statement with its delivery, for every delivery: a constraint, and an index that `one_row_per_attempt` has
    # already, would only cost time.
    delivery = models.ForeignKey(
        Delivery, models.CASCADE, related_name="attempt_rows", db_constraint=False, db_index=False
    )
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(null=True)
    outcome = models.CharField(max_length=12, choices=AttemptOutcome)
    error = models.CharField(max_length=500, blank=True, default="")
    response_status = models.PositiveSmallIntegerField(null=True)
    # What the plugin chose to show of its talk over HTTP; see `delivery.context.Exchange`.
    method = models.CharField(max_length=20, blank=True, db_default="")
    host = models.CharField(max_length=255, blank=True, db_default="")
    answer = models.CharField(max_length=1024, blank=True, db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="one_row_per_attempt")]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.outcome}"
