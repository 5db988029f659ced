"""How often an organisation's pages are opened, and how long they take: counts by day, and nothing of who it was."""

from plugins.usage_analytics_plugin.plugin import UsageAnalyticsPlugin

__all__ = ["UsageAnalyticsPlugin"]
