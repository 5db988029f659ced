"""Counters, and the table behind Django's cache. Both in the public schema."""

from __future__ import annotations

from django.db import models


class Counter(models.Model):
    """How often something happened in the window that began at `started_at`."""

    bucket = models.CharField(max_length=50)
    key = models.CharField(max_length=64)  # a hash: addresses are nobody's business
    started_at = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bucket", "key"], name="one_counter_per_key")]
        indexes = [models.Index(fields=["started_at"], name="throttle_old")]

    def __str__(self) -> str:
        return f"{self.bucket}: {self.count}"


class CacheEntry(models.Model):
    """A row of Django's database cache, as `createcachetable` would make it; `cache.TenantCache` reads and writes it."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "tenantry_cache"
        verbose_name_plural = "cache entries"

    def __str__(self) -> str:
        return self.cache_key
