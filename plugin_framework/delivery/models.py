"""What the workers share: wake-ups, lanes (a tenant's queue for one plugin) and who is at work. All in the public schema."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Wake(models.Model):
    """ "There is something to deliver": written in the business transaction, folded into its lane by a supervisor.

    Append only and without a unique key, so emitters never wait for each other. It names a delivery because, where the commit
    spans machines (Citus), the wake-up can be seen before the delivery: it is kept until that one can be seen too.
    """

    tenant_schema = models.CharField(max_length=63)
    plugin = models.CharField(max_length=100)
    delivery_id = models.BigIntegerField()
    written_at = models.DateTimeField(db_default=Now())
    look_at = models.DateTimeField(db_default=Now())  # later only for one whose delivery could not be seen yet

    def __str__(self) -> str:
        return f"{self.tenant_schema}/{self.plugin}#{self.delivery_id}"


class Lane(models.Model):
    """The queue of one tenant and plugin: when it is due next, and which worker holds it until when. Written by workers only."""

    pk = models.CompositePrimaryKey("tenant_schema", "plugin")
    tenant_schema = models.CharField(max_length=63)
    plugin = models.CharField(max_length=100)
    next_at = models.DateTimeField(null=True)  # None: nothing waits
    seq = models.BigIntegerField(
        db_default=0
    )  # counts the wake-ups folded in, so that a release sees those it would overrule
    fence = models.BigIntegerField(db_default=0)  # of the latest claim; grows with every claim of any lane
    owner = models.CharField(max_length=100, blank=True, db_default="")
    leased_until = models.DateTimeField(null=True)  # by the database's clock
    # The breaker's; see `breaker.py`.
    failures = models.IntegerField(db_default=0)  # failed attempts in a row, as of the last release
    open_since = models.DateTimeField(null=True)  # None: closed
    opened = models.IntegerField(db_default=0)  # times it opened without a success in between: the pauses grow
    trouble = models.CharField(max_length=500, blank=True, db_default="")  # the failure that opened it
    paused_until = models.DateTimeField(null=True)  # by the breaker; after that one delivery is tried
    paused_by = models.CharField(max_length=200, blank=True, db_default="")  # by a person, until somebody resumes it
    over_quota = models.BooleanField(db_default=False)  # the last release put deliveries off: the day's were used up

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], name="delivery_lane_due", condition=models.Q(next_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.tenant_schema}/{self.plugin}"


class Schedule(models.Model):
    """When a tenant's job is due next; see `schedule.py`."""

    pk = models.CompositePrimaryKey("tenant_schema", "plugin", "job")
    tenant_schema = models.CharField(max_length=63)
    plugin = models.CharField(max_length=100)
    job = models.CharField(max_length=100)  # the method's name
    expression = models.CharField(max_length=100)  # as in cron(5), UTC
    due_at = models.DateTimeField()  # as the expression says
    run_at = models.DateTimeField()  # with the tenant's own offset

    class Meta:
        indexes = [models.Index(fields=["run_at"], name="delivery_schedule_due")]

    def __str__(self) -> str:
        return f"{self.tenant_schema}/{self.plugin}.{self.job}"


class Worker(models.Model):
    """A supervisor at work: its heartbeat, and enough to know whether its process still exists."""

    id = models.CharField(max_length=100, primary_key=True)  # what its lanes name as their owner
    host = models.CharField(max_length=200)  # host, boot and process namespace: where `pid` means something
    pid = models.BigIntegerField()
    process_start = models.BigIntegerField()  # the kernel's start time of that process: a pid alone is used again
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.id
