"""Counts of page views. Only `services` writes them."""

from __future__ import annotations

from django.db import models


class ViewCount(models.Model):
    """How often one page ended in one kind of answer on one day; spread over a few rows, whose sum it is.

    Rows of one page and day are shards: requests at the same time mostly meet different ones, and do not wait for each other.
    """

    day = models.DateField()
    view = models.CharField(max_length=150)
    outcome = models.PositiveSmallIntegerField()  # 2, 3, 4 or 5: the hundreds of the status
    shard = models.PositiveSmallIntegerField()
    views = models.PositiveBigIntegerField(default=0)
    total_ms = models.PositiveBigIntegerField(default=0)
    slowest_ms = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "view", "outcome", "shard"], name="usage_analytics_one_row_per_shard"
            )
        ]

    def __str__(self) -> str:
        return f"{self.view} on {self.day}: {self.views}"
