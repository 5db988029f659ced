"""The top app: commands, static files and the pages that join tenants with plugins; it has no tables."""

import gc

from django.apps import AppConfig


class SaasConfig(AppConfig):
    """No models; first in INSTALLED_APPS so that its commands win."""

    name = "saas"

    def ready(self) -> None:
        """Say what the platform itself owes its tenants, who does it, and where structlog's lines go, and how limits are
        worded; then collect garbage again."""
        from plugin_framework import quotas
        from plugin_framework.delivery import breaker, house, retention
        from plugin_framework.quotas import storage
        from saas import isolation_checks, limit_words, logs, notices  # noqa: F401  # importing the checks registers them
        from tenants import deletion, owed, purging, tending

        logs.structlog_through_logging()
        limit_words.say()
        house.register(breaker.NOTICE, notices.deliveries_paused)
        house.register(owed.WORK, tending.tend, cron=owed.AT, platform_only=True)
        house.register(retention.NIGHTLY, retention.nightly, cron=retention.AT)
        house.register(deletion.DELETED, notices.organisation_deleted)
        house.register(deletion.UNDELETED, notices.organisation_undeleted)
        house.register(quotas.NOTICE, notices.quota_reached)
        house.register(storage.MEASURE, storage.measure, cron=storage.AT)
        house.register(purging.HOURLY, purging.hourly, cron=purging.AT, platform_only=True)
        gc.freeze()  # what is loaded stays, and processes that are forked from this one share its memory
        gc.enable()
