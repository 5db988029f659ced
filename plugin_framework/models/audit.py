"""The tenant's audit log: who did what, and when."""

from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    """One change. Written in the transaction of the change itself; secrets never appear in it."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=100)  # "plugin.enabled"
    target = models.CharField(max_length=200, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.target}".strip()
