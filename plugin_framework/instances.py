"""Plugin instances: one per tenant, plugin and settings revision, shared by threads, cleaned up once after the last use."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from plugin_framework.layers import PlatformSettings
from plugin_framework.sdk import PluginInterface
from plugin_framework.sdk._calling import plugins_code
from plugin_framework.tenancy import no_scope

log = logging.getLogger(__name__)
_counting = threading.Lock()


@dataclass(slots=True, eq=False)
class Instance:
    """One configured plugin object and the number of active sets that hold it."""

    plugin: PluginInterface
    settings_revision: int
    platform: PlatformSettings  # what the platform had set when it was made
    holders: int = 0
    cleaned: bool = False


@dataclass(slots=True, eq=False)
class Held:
    """Several instances held together; `release` lets go of all of them, once, when nobody uses them any more."""

    instances: tuple[Instance, ...]
    users: int = 0
    retired: bool = False
    released: bool = field(default=False)


def hold(instances: Iterable[Instance]) -> Held:
    """Keep `instances` alive until the result is retired and unused."""
    held = Held(tuple(instances))
    with _counting:
        for instance in held.instances:
            instance.holders += 1
    return held


def use(held: Held) -> bool:
    """Count one more user; False when it has been let go already, and the caller must fetch a new one."""
    with _counting:
        if held.released:
            return False
        held.users += 1
        return True


def leave(held: Held) -> None:
    """Count one user less, and clean up what nobody holds any more."""
    with _counting:
        held.users -= 1
        unheld = _let_go(held)
    _clean(unheld)


def retire(held: Held) -> None:
    """Nobody new will use `held`; it is let go when its last user leaves."""
    with _counting:
        held.retired = True
        unheld = _let_go(held)
    _clean(unheld)


def _let_go(held: Held) -> list[Instance]:
    if held.released or held.users > 0 or not held.retired:
        return []
    held.released = True
    unheld = []
    for instance in held.instances:
        instance.holders -= 1
        if instance.holders == 0 and not instance.cleaned:
            instance.cleaned = True
            unheld.append(instance)
    return unheld


def _clean(instances: list[Instance]) -> None:
    for instance in instances:
        with no_scope():  # the instance may be another tenant's than the request's: it must not reach these tables
            try:
                with plugins_code():
                    instance.plugin.cleanup()
            except Exception:  # a plugin's cleanup may raise anything; the others' must still run
                log.exception("cleanup() of plugin %s failed", instance.plugin.name)
