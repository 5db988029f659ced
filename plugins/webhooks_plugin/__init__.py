"""Posts signed webhooks to the addresses that an organisation's admins enter."""

from plugins.webhooks_plugin.plugin import WebhooksPlugin

__all__ = ["WebhooksPlugin"]
