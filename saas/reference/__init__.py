"""The reference pages that are made from the code: hook points, what plugin authors import, commands, settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from saas.reference import commands, hooks, sdk, settings

PAGES: Mapping[str, Callable[[], str]] = {
    "hooks": hooks.page,
    "sdk": sdk.page,
    "commands": commands.page,
    "settings": settings.page,
}
