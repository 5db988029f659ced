"""What every page of the host is given."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from plugin_framework import activation
from plugin_framework.registry import registry
from plugin_framework.sdk import NavItem
from plugin_framework.sdk._calling import plugins_code
from saas import banners
from saas.links import url_of
from saas.site.spoken import spoken

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NavLink:
    """One entry of the tenant's navigation, ready to be drawn."""

    plugin: str
    label: str
    url: str
    icon: str
    active: bool


def site(request: HttpRequest) -> dict[str, Any]:
    """The host's kind, the tenant, and the navigation that the tenant's plugins add."""
    kind = getattr(request, "host_kind", "public")
    return {
        "host_kind": kind,
        "tenant": getattr(request, "tenant", None),
        "nav_items": _navigation(request) if kind == "tenant" else [],
        "banners": SimpleLazyObject(lambda: banners.drawn(request)),  # asked for by whole pages only, once
        "is_demo": settings.DEMO,
        "languages": settings.LANGUAGES,
        "public_url": url_of(settings.BASE_DOMAIN),
    }


def _navigation(request: HttpRequest) -> list[NavLink]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    links: list[NavLink] = []
    for name, plugin in activation.current().plugins.items():
        try:
            with plugins_code():
                items = [item for item in plugin.nav_items() if getattr(user, "is_admin", False) or not item.for_admins]
                links += [_link(request, name, item) for item in items]
        except Exception:  # a plugin's nav_items may raise anything; the page and the others' entries stay
            log.exception("The navigation entries of %s could not be made", name)
    return links


def _link(request: HttpRequest, plugin: str, item: NavItem) -> NavLink:
    url = item.url if item.url.startswith("/") else f"/apps/{plugin.replace('_', '-')}/{item.url}"
    icon = item.icon or registry.specs[plugin].cls.icon
    return NavLink(plugin, spoken(item.label), url, icon, active=request.path.startswith(url))
