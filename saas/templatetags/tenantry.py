"""Filters of the host's templates: the audit log in words, milliseconds as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_lazy

from plugin_framework.registry import JOB_HOOK, registry
from plugin_framework.sdk._counts import Counted
from plugin_framework.sdk._words import reread as _words_of
from saas.site.audit_details import OF_PLUGINS, details, words
from saas.site.plugin_info import title_of
from saas.site.spoken import spoken

register = template.Library()
register.filter(spoken)  # what plugins say of themselves


@register.filter
def reread(text: str) -> str:
    """What the engine has stored in English, in the reader's language as far as it is the engine's own."""
    return str(_words_of(text))


_ACTIONS = {
    "plugin.enabled": gettext_lazy("enabled the plugin"),
    "plugin.disabled": gettext_lazy("disabled the plugin"),
    "plugin.agreed": gettext_lazy("agreed to what may be done by"),
    "plugin.paused": gettext_lazy("paused the plugin"),
    "plugin.resumed": gettext_lazy("resumed the plugin"),
    "deliveries.paused": gettext_lazy("paused the deliveries of"),
    "deliveries.resumed": gettext_lazy("resumed the deliveries of"),
    "plugin.purged": gettext_lazy("deleted what was stored by the plugin"),
    "plugin.configured": gettext_lazy("changed the settings of"),
    "secrets.resealed": gettext_lazy("had all secrets sealed with a new key"),
    "delivery.sampled": gettext_lazy("sent a sample event to"),
    "delivery.redelivered": gettext_lazy("had something delivered again by"),
    "delivery.redelivered_many": gettext_lazy("had many deliveries made again"),
    "tenant.created": gettext_lazy("created the organisation"),
    "tenant.suspended": gettext_lazy("suspended the organisation"),
    "tenant.resumed": gettext_lazy("resumed the organisation"),
    "tenant.deleted": gettext_lazy("deleted the organisation"),
    "tenant.undeleted": gettext_lazy("brought back the organisation"),
    "tenant.exported": gettext_lazy("exported all data of the organisation"),
    "tenant.restored": gettext_lazy("restored from an archive the organisation"),
    "tenant.purge_hastened": gettext_lazy("cut short the time left to bring back the organisation"),
    "tenant.retried": gettext_lazy("had the setting up tried again of"),
    "tenant.removed": gettext_lazy("removed before it was set up the organisation"),
    "tenant.purged": gettext_lazy("deleted for good all data of the organisation"),
    "tenant.profile_changed": gettext_lazy("changed the name or time zone of"),
    "tenant.logo_changed": gettext_lazy("changed the logo of"),
    "tenant.logo_removed": gettext_lazy("removed the logo of"),
    "tenant.host_added": gettext_lazy("added a host to"),
    "tenant.host_removed": gettext_lazy("took a host from"),
    "tenant.plan_changed": gettext_lazy("changed the plan of"),
    "plan.saved": gettext_lazy("saved the plan"),
    "plan.removed": gettext_lazy("deleted the plan"),
    "catalog.offered": gettext_lazy("offered to everyone"),
    "catalog.listed": gettext_lazy("offered to listed organisations"),
    "catalog.hidden": gettext_lazy("hid"),
    "catalog.withdrawn": gettext_lazy("withdrew"),
    "fleet.enable": gettext_lazy("enabled in many organisations"),
    "fleet.disable": gettext_lazy("disabled in many organisations"),
    "fleet.resume": gettext_lazy("resumed in many organisations"),
    "catalog.deprecated": gettext_lazy("deprecated"),
    "catalog.on_by_default": gettext_lazy("let new organisations begin with"),
    "catalog.not_on_by_default": gettext_lazy("let new organisations begin without"),
    "catalog.required": gettext_lazy("required the plugin"),
    "catalog.not_required": gettext_lazy("no longer required the plugin"),
    "catalog.settings_changed": gettext_lazy("changed the platform’s settings of"),
    "catalog.not_recorded": gettext_lazy("could not write into every audit log the decision about"),
    "plugin.settings_upgraded": gettext_lazy("brought to a newer version the settings of"),
    "person.registered": gettext_lazy("registered"),
    "person.invited": gettext_lazy("invited"),
    "person.role_changed": gettext_lazy("changed the role of"),
    "person.removed": gettext_lazy("removed"),
    "person.renamed": gettext_lazy("changed the name of"),
    "person.joined": gettext_lazy("joined with an invitation:"),
    "person.signed_out": gettext_lazy("ended other sign-ins of"),
    "person.exported": gettext_lazy("handed out the personal data of"),
    "person.erased": gettext_lazy("erased the personal data of"),
    "person.invitation_revoked": gettext_lazy("took back the invitation of"),
}


@register.filter
def action_words(action: str) -> str:
    """An audit entry's action as words between who did it and to what; one that has none stays as it is."""
    return str(_ACTIONS.get(action, action))


@register.filter
def deed(entry: Any) -> str:
    """What an audit entry says between who did it and to what."""
    return gettext("registered on their own") if _registered_themselves(entry) else action_words(entry.action)


@register.filter
def plugin_meant(entry: Any) -> str:
    """The title of the plugin that an audit entry is about, as its page has it; nothing where it is about something else."""
    about = entry.action.startswith(OF_PLUGINS) and entry.target in registry.specs
    return title_of(entry.target) if about else ""


@register.filter
def done_to(entry: Any) -> str:
    """What its sentence ends with; nothing where somebody has registered themselves, for it begins with their address."""
    return "" if _registered_themselves(entry) else str(entry.target)


def _registered_themselves(entry: Any) -> bool:
    return bool(entry.action == "person.registered" and entry.target == entry.actor)


@register.filter
def pairs(detail: Any) -> list[tuple[str, str]]:
    """The entries of a mapping as text. `detail.items` in a template would find a key called "items" first."""
    if not isinstance(detail, Mapping):
        return []
    return [(str(key).replace("_", " "), words(value)) for key, value in detail.items()]


@register.filter
def audit_details(entry: Any) -> list[tuple[str, str]]:
    """The same of an audit entry, in the reader's words."""
    plugin = entry.target if entry.action.startswith(OF_PLUGINS) else ""
    return details(entry.detail, plugin) if isinstance(entry.detail, dict) else []


@register.filter
def counted(number: Any) -> Any:
    """A number of things, which its places in a text show with the thousands set apart; not for ids, which are plain numbers.

    It is still a number: `{% blocktranslate count number=rows|length|counted %}` takes it. What is none stays as it is.
    """
    return Counted(number) if isinstance(number, int) else number


@register.filter
def entry(mapping: Mapping[str, str], key: str) -> str:
    """What `mapping` has under `key`; the key itself if it has nothing."""
    return mapping.get(key, key)


@register.filter
def event_words(hook: str) -> str:
    """What a delivery is about: its event's name, or that its time had come."""
    return gettext("by the clock") if hook == JOB_HOOK else hook


@register.filter
def job_words(name: str) -> str:
    """A method's name as people read it: `forget_old_counts` is "Forget old counts"."""
    return spoken(name.replace("_", " ").strip().capitalize())


@register.filter
def duration(milliseconds: int | None) -> str:
    """How long something took: 840 ms, 1.3 s, 2 min 5 s, 3 h 20 min, 4 d 2 h; empty if nobody knows."""
    if milliseconds is None:
        return ""
    if milliseconds < 1000:
        return gettext("%(number)d ms") % {"number": milliseconds}
    seconds = milliseconds / 1000
    if seconds < 60:
        return gettext("%(number)s s") % {"number": number_format(seconds, 1)}
    minutes, seconds = divmod(int(seconds), 60)
    if minutes < 60:
        return gettext("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": seconds}
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return gettext("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    return gettext("%(days)s d %(hours)d h") % {"days": Counted(hours // 24), "hours": hours % 24}


@register.filter
def logo_version(name: str) -> str:
    """What tells one logo from the next in an address: the random part of its file's name."""
    return name.rpartition("/")[2].partition(".")[0][:16]


@register.filter
def since_words(time: timedelta | None) -> str:
    """How long something has waited; empty if nothing waits."""
    return "" if time is None else duration(max(int(time.total_seconds() * 1000), 0))
