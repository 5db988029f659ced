"""Invoices for confirmed orders: numbered without gaps, never changed once made, printable."""

from plugins.invoices_plugin.plugin import InvoicesPlugin

__all__ = ["InvoicesPlugin"]
