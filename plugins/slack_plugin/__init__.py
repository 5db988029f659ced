"""Posts to an organisation's Slack channel when something happens."""

from plugins.slack_plugin.plugin import SlackNotificationPlugin

__all__ = ["SlackNotificationPlugin"]
