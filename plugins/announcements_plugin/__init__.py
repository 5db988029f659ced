"""Announcements: what an organisation's admins tell everybody, above every page until each person dismisses it."""

from plugins.announcements_plugin.plugin import AnnouncementsPlugin

__all__ = ["AnnouncementsPlugin"]
