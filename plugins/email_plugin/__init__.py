"""Notification mails through the organisation's own mail server: a welcome, and confirmations of orders."""

from plugins.email_plugin.plugin import EmailNotificationPlugin

__all__ = ["EmailNotificationPlugin"]
