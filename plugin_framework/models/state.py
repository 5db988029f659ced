"""Which plugins a tenant has enabled and how they are set up."""

from __future__ import annotations

from django.db import models

from plugin_framework.sdk import PluginModel


class PluginState(models.Model):
    """One row per plugin that this tenant has ever enabled; disabling keeps it, purging deletes it."""

    plugin = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField(default=False)
    version = models.CharField(max_length=50)
    settings_revision = models.BigIntegerField(default=0)  # from the revision sequence; a stale form is known by it
    config_version = models.IntegerField(default=1)  # of the plugin's that the settings were saved for
    tables = models.JSONField(
        default=list
    )  # what the plugin's migrations made here, so that it can be purged without its code
    app_label = models.CharField(max_length=100, blank=True, default="")  # under which its migrations are recorded here
    paused_until = models.DateTimeField(null=True)  # it does not run before then, whatever its settings
    paused_reason = models.CharField(max_length=500, blank=True, default="")
    enabled_at = models.DateTimeField(null=True)
    enabled_by = models.CharField(max_length=200, blank=True)
    # What was agreed to when it was enabled, or later: see `permissions`. None: it was enabled before anybody was asked.
    consented = models.JSONField(null=True)
    consented_version = models.CharField(max_length=50, blank=True, db_default="")
    consented_by = models.CharField(max_length=200, blank=True, db_default="")
    consented_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.plugin}: {'enabled' if self.enabled else 'disabled'}"


class PluginSetting(PluginModel):
    """One setting of one plugin; secrets inside the value are sealed, never plain."""

    key = models.CharField(max_length=100)
    value = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plugin_name", "key"], name="one_value_per_plugin_and_key")]

    def __str__(self) -> str:
        return f"{self.plugin_name}.{self.key}"


class SettingsHistory(models.Model):
    """A plugin's settings as somebody saved them; `secrets` names those that were set, and never holds one."""

    plugin = models.CharField(max_length=100)
    revision = models.BigIntegerField()
    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=200)
    config_version = models.IntegerField()
    values = models.JSONField()
    secrets = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plugin", "revision"], name="one_state_per_plugin_and_revision")]
        verbose_name_plural = "settings history"

    def __str__(self) -> str:
        return f"{self.plugin} at {self.revision}"
