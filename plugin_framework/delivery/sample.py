"""Sample events: an admin sees what a plugin does with an event, without waiting for one to happen.

A sample goes to the handlers of one plugin, and the way of all deliveries: through the gate, the day's quota and the worker. It carries
what the hook point's declaration makes up, is marked, and is tried once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from plugin_framework import activation
from plugin_framework.audit import Actor, record
from plugin_framework.delivery import breaker
from plugin_framework.delivery.emit import emit_event
from plugin_framework.delivery.payload import freeze
from plugin_framework.models.delivery import Delivery
from plugin_framework.registry import registry, title_of
from plugin_framework.sdk import HookPoint, NotAllowed, SampleFor, TenantInfo
from plugin_framework.sdk._calling import plugins_code
from plugin_framework.sdk._words import reread
from plugin_framework.tenancy import current_tenant

log = logging.getLogger(__name__)


def points(plugin: str) -> tuple[HookPoint, ...]:
    """The events that `plugin` handles and of which there is a sample, by name."""
    spec = registry.specs.get(plugin)
    names = sorted({handler.hook for handler in spec.handlers}) if spec else []
    found = (registry.points.get(name) for name in names)
    return tuple(point for point in found if point is not None and point.kind == "event" and point.sample is not None)


def arguments(point: HookPoint, user: Any) -> tuple[Sequence[object], list[Any]]:
    """The sample's arguments for `user`, and the same as a delivery carries them.

    Raises:
        NotAllowed: the declaration makes up something that is none; the text says what.
    """
    assert point.sample is not None  # noqa: S101  # `points` has looked
    try:
        tenant = current_tenant()
        with plugins_code():
            args = tuple(point.sample(SampleFor(user, TenantInfo(tenant.slug, tenant.name, tenant.host))))
            frozen = freeze(args, point.args, made_up=True)
    except Exception as error:
        log.exception("The sample of %r could not be made", point.name)
        why = gettext(
            "The sample of %(hook)s could not be made (%(kind)s). Ask who runs this platform: its log has the details."
        )
        raise NotAllowed(why % {"hook": point.name, "kind": type(error).__name__}) from error
    if len(args) != len(point.args):
        why = gettext(
            "The sample of %(hook)s has %(number)s arguments, and should have %(wanted)s. Its plugin’s authors can mend that."
        )
        raise NotAllowed(why % {"hook": point.name, "number": len(args), "wanted": len(point.args)})
    return args, frozen


def send(plugin: str, hook: str, actor: Actor, user: Any) -> list[Delivery]:
    """Deliver a sample of the event `hook` to the handlers of `plugin` in the current tenant, and to no others.

    Args:
        user: the admin who asks; the sample is about them, if it is about anybody.

    Raises:
        NotAllowed: the plugin does not run now, its deliveries are paused by somebody, or there is no such sample.
    """
    decision = activation.current().decision(plugin)
    if not decision.runs:
        said = gettext("%(title)s does not run here, so nothing can be delivered to it: %(why)s")
        raise NotAllowed(said % {"title": title_of(plugin), "why": decision.text})
    point = next((each for each in points(plugin) if each.name == hook), None)
    if point is None:
        raise NotAllowed(
            gettext("There is no sample of “%(hook)s” that %(plugin)s could be sent. Choose one of those on the page.")
            % {"hook": hook, "plugin": title_of(plugin)}
        )
    rest = breaker.rests().get(plugin)
    if rest is not None and rest.paused_by:
        said = gettext("The deliveries of %(plugin)s are paused by %(who)s. Resume them first.")
        raise NotAllowed(said % {"plugin": title_of(plugin), "who": reread(rest.paused_by)})
    args, _frozen = arguments(point, user)
    handlers = [each for each in activation.current().handlers(hook) if each.plugin == plugin]
    with transaction.atomic():
        event = emit_event(hook, tuple(args), handlers, sample=True)
        sent = list(Delivery.objects.filter(event_id=event).order_by("pk"))
        record(actor, "delivery.sampled", plugin, hook=hook, deliveries=[row.pk for row in sent])
        breaker.try_now(plugin)  # somebody wants to see whether it works
    return sent
