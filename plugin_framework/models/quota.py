"""What a tenant has used of its plan, where that is counted and not found by looking; see `plugin_framework.quotas`."""

from __future__ import annotations

from django.db import models


class QuotaUse(models.Model):
    """One count: of a day, of a month, or (in the period 1970-01-01) of all time. In the tenant's schema, so that it comes and goes with it."""

    pk = models.CompositePrimaryKey("kind", "period")
    kind = models.CharField(max_length=20)
    period = models.DateField()  # its first day, UTC
    used = models.BigIntegerField(db_default=0)
    told = models.SmallIntegerField(db_default=0)  # the admins have had a mail: at 80 or 100 per cent
    told_limit = models.BigIntegerField(null=True)  # of this limit; with another one they are told anew

    def __str__(self) -> str:
        return f"{self.kind} {self.period}: {self.used}"
