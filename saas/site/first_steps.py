"""What a new organisation's admin is led to, up to the first event that arrives: read off the facts, not off ticks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from plugin_framework.delivery.house import HOUSE
from plugin_framework.models import Delivery
from plugin_framework.models.delivery import DeliveryState
from saas.site.plugin_info import PluginInfo
from tenants.accounts.models import Invitation, User


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, where it is done, and whether it was."""

    title: str
    text: str
    url: str
    action: str
    done: bool


def first_steps(plugins: Sequence[PluginInfo]) -> list[Step]:
    """All steps while one is left; none once all are done, or once the organisation is no longer new.

    It is new for as long as its deliveries are kept: after that, nobody could tell whether there ever was a first one.
    """
    began, people = _beginnings()
    if began is None or began < timezone.now() - timedelta(days=settings.DELIVERIES_KEEP_DAYS):
        return []
    steps = [_enable(plugins), _set_up(plugins), _invite(people), _see_it_arrive()]
    return [] if all(step.done for step in steps) else steps


def _beginnings() -> tuple[datetime | None, int]:
    """When the first of those who are here joined, and whether they are one or more."""
    joined = list(User.objects.filter(is_active=True).order_by("date_joined").values_list("date_joined", flat=True)[:2])
    return (joined[0] if joined else None), len(joined)


def _enable(plugins: Sequence[PluginInfo]) -> Step:
    return Step(
        title=_("Enable your first plugin"),
        text=_(
            "Orders, mail, Slack: choose what your organisation uses. Each says before what it reads and where it sends."
        ),
        url=reverse("settings:plugins"),
        action=_("Choose a plugin"),
        done=any(info.enabled for info in plugins),
    )


def _set_up(plugins: Sequence[PluginInfo]) -> Step:
    waiting = next((info for info in plugins if info.state == "attention" and not info.runs), None)
    title = _("Complete its settings, and test the connection")
    if waiting is None:
        text = _("“Test connection” on a plugin’s page tries what you have typed before you save it.")
        done = any(info.runs and info.has_settings for info in plugins)
        return Step(title, text, reverse("settings:plugins"), _("Go to the plugins"), done)
    text = _("%(plugin)s waits for it: %(reason)s") % {"plugin": waiting.title, "reason": waiting.reason_text}
    return Step(title, text, reverse("settings:plugin", args=[waiting.name]), _("Set it up"), done=False)


def _invite(people: int) -> Step:
    return Step(
        title=_("Invite somebody"),
        text=_("They get a mail with a link, and choose their own password."),
        url=reverse("settings:people"),
        action=_("Invite somebody"),
        done=people > 1 or Invitation.objects.exists(),
    )


def _see_it_arrive() -> Step:
    return Step(
        title=_("See the first event arrive"),
        text=_(
            "Something has to happen first: somebody registers, or an order is confirmed. Each event and its way are listed."
        ),
        url=reverse("settings:all_deliveries"),
        action=_("Watch the deliveries"),
        done=Delivery.objects.filter(state=DeliveryState.DONE).exclude(plugin=HOUSE).exists(),
    )
