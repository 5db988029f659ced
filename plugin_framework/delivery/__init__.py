"""Durable events: written with the business transaction, delivered at least once by `manage.py worker`."""

from plugin_framework.delivery.context import CurrentDelivery, current_delivery

__all__ = ["CurrentDelivery", "current_delivery"]
