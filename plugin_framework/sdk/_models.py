"""The base of a plugin's models."""

from __future__ import annotations

from django.db import models


class PluginModel(models.Model):
    """Rows that belong to a plugin, with the times at which they were made and changed."""

    plugin_name = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
