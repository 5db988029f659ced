"""Announcements of an organisation's admins to its people, above every page until each has put them away."""

from plugins.announcements_plugin.plugin import AnnouncementsPlugin

__all__ = ["AnnouncementsPlugin"]
