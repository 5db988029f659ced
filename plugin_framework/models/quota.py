"""What a tenant has used of its plan, where that is counted and not found by looking; see `plugin_framework.quotas`."""

from __future__ import annotations

from django.db import models

TODAY = "(statement_timestamp() AT TIME ZONE 'UTC')::date"  # a period in SQL: by the database's clock, as everything of the queue
EVER = "DATE '1970-01-01'"  # the period of what is not counted by the day


class QuotaUse(models.Model):
    """One count: of a day, of a month, or (in the period 1970-01-01) of all time.

    In the tenant's schema, so that it comes and goes with the tenant, and stands beside the deliveries that a worker counts.
    """

    pk = models.CompositePrimaryKey("kind", "period")
    kind = models.CharField(max_length=20)
    period = models.DateField()  # its first day, UTC
    used = models.BigIntegerField(db_default=0)
    told = models.SmallIntegerField(db_default=0)  # the admins have had a mail: at 80 or 100 per cent
    told_limit = models.BigIntegerField(null=True)  # of this limit; with another one they are told anew

    def __str__(self) -> str:
        return f"{self.kind} {self.period}: {self.used}"
