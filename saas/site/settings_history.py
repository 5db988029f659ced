"""The page of what a plugin's settings were, and going back to one of these states."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from plugin_framework import configuration, settings_history, settings_store
from plugin_framework.models import SettingsHistory
from plugin_framework.registry import PluginSpec
from plugin_framework.sdk import NotAllowed
from saas.site import plugin_info
from saas.site.access import actor_of, admins_only
from saas.site.plugin_settings import (
    configurable,
    expected_revision,
    refused,
    render_detail,
    revision_of,
    settings_form,
)
from saas.site.settings_words import Difference, differences, long_label


@dataclass(frozen=True, slots=True)
class Saved:
    """One saved state beside the one before it."""

    state: SettingsHistory
    differences: list[Difference]
    is_current: bool


@require_safe
@admins_only
def index(request: HttpRequest, name: str) -> HttpResponse:
    """Who saved what, newest first, each beside what was there before."""
    info = plugin_info.plugin(name)
    spec = configurable(info)
    if spec is None:
        return refused(request, info)
    context = {
        "plugin": info,
        "saved": _saved(spec),
        "revision": revision_of(name),
        "kept": settings_history.KEPT,
    }
    return render(request, "settings/plugins/history.html", context)


@require_POST
@admins_only
def restore(request: HttpRequest, name: str, revision: int) -> HttpResponse:
    """Save the settings as they were; where that cannot be done as it is, show them in the form with what is wrong."""
    info = plugin_info.plugin(name)
    spec = configurable(info)
    if spec is None:
        return refused(request, info)
    try:
        left_out = settings_history.names_erased(settings_history.state_at(name, revision))
        configuration.restore(name, actor_of(request), revision, expected_revision=expected_revision(request.POST))
    except configuration.SavedByNewer as error:
        messages.error(request, str(error))
        return redirect("settings:plugin_history", name)
    except configuration.Conflict:
        messages.error(
            request, _("Somebody else has saved in the meantime. Look at what they changed, then try again.")
        )
        return redirect("settings:plugin_history", name)
    except NotAllowed as error:
        messages.error(request, str(error))
        return redirect("settings:plugin_history", name)
    except (configuration.Invalid, settings_store.Unreadable) as error:
        return _in_the_form(request, info, spec, revision, error)
    said = _("The settings of %(title)s are as they were.")
    if left_out:
        said = _("The settings of %(title)s are as they were, without the addresses of people whose data was erased.")
    messages.success(request, said % {"title": info.title})
    return redirect("settings:plugin", name)


def _in_the_form(
    request: HttpRequest,
    info: plugin_info.PluginInfo,
    spec: PluginSpec,
    revision: int,
    error: configuration.Invalid | settings_store.Unreadable,
) -> HttpResponse:
    state = settings_history.state_at(info.name, revision)
    try:
        config = configuration.as_of(spec, state)
    except configuration.Invalid:
        config = dict(state.values)
    form = settings_form(spec, showing=config)
    form.unsaved = True
    form.add_errors([error.found] if isinstance(error, settings_store.Unreadable) else error.errors)
    return render_detail(request, info, form)


def _saved(spec: PluginSpec) -> list[Saved]:
    found = settings_history.states(spec.name)
    nothing = SettingsHistory(plugin=spec.name, values={}, secrets=[])
    return [
        Saved(newer, _differences(spec, older, newer), newer is found[0])
        for newer, older in pairwise([*found, nothing])
    ]


def _differences(spec: PluginSpec, older: SettingsHistory, newer: SettingsHistory) -> list[Difference]:
    changed = differences(spec.schema, older.values, newer.values)
    for name in sorted({*older.secrets} ^ {*newer.secrets}):
        was, now = (_("set") if name in each.secrets else _("(empty)") for each in (older, newer))
        changed.append(Difference(long_label(spec.schema, tuple(name.split("."))), was, now))
    return changed
