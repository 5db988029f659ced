"""What the engine keeps in each tenant's schema."""

from plugin_framework.models.audit import AuditEntry
from plugin_framework.models.delivery import Delivery, DeliveryAttempt
from plugin_framework.models.quota import QuotaUse
from plugin_framework.models.state import PluginSetting, PluginState, SettingsHistory

__all__ = ["AuditEntry", "Delivery", "DeliveryAttempt", "PluginSetting", "PluginState", "QuotaUse", "SettingsHistory"]
