"""What the tenant's plugins show above every page of somebody who is signed in."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.http import HttpRequest

from plugin_framework import activation
from plugin_framework.sdk import Banner
from plugin_framework.sdk._calling import plugins_code

log = logging.getLogger(__name__)
MOST = 5  # of one plugin; more would push the page out of sight


@dataclass(frozen=True, slots=True)
class DrawnBanner:
    """One plugin's banner, ready to be drawn. All of it is plain text that the template escapes."""

    id: str
    title: str
    text: str
    level: str
    link_url: str
    link_label: str
    dismiss_url: str


def drawn(request: HttpRequest) -> list[DrawnBanner]:
    """The banners of the running plugins, in their order; a plugin that fails is logged and left out, the others stay."""
    user = getattr(request, "user", None)
    if getattr(request, "host_kind", "public") != "tenant" or user is None or not user.is_authenticated:
        return []
    found: list[DrawnBanner] = []
    for name, plugin in activation.current().plugins.items():
        try:
            with plugins_code():
                found += [_draw(request, name, banner) for banner in list(plugin.banners(request))[:MOST]]
        except Exception:  # a plugin's banners may raise anything; the page and the others' banners stay
            log.exception("The banners of %s could not be made", name)
    return found


def _draw(request: HttpRequest, plugin: str, banner: Banner) -> DrawnBanner:
    """Words are made here, where it may fail. An answer to a POST has no button: going away would lose what was typed there."""
    return DrawnBanner(
        id=f"banner-{plugin}-{banner.key}",
        title=str(banner.title),
        text=str(banner.text),
        level=banner.level,
        link_url=str(banner.link_url),
        link_label=str(banner.link_label),
        dismiss_url=banner.dismiss_url if request.method in ("GET", "HEAD") else "",
    )
