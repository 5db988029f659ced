"""Orders of an organisation's customers: drafted, confirmed, cancelled. Tells other plugins when one is confirmed."""

from plugins.orders_plugin.plugin import OrdersPlugin

__all__ = ["OrdersPlugin"]
