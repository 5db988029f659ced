"""A plugin's settings: the form on its page, saving it, "Test connection", and two people saving at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from plugin_framework import configuration, layers, permissions, settings_history, settings_store, shapes
from plugin_framework.delivery import sample, schedule
from plugin_framework.models import AuditEntry, Delivery, PluginState, SettingsHistory
from plugin_framework.registry import PluginSpec, registry
from plugin_framework.sdk import CheckResult, NotAllowed
from saas.site import plugin_info
from saas.site.access import actor_of, admins_only
from saas.site.plugin_health import health_of
from saas.site.plugin_info import PluginInfo
from saas.site.settings_conflict import versions
from saas.site.settings_form import SettingsForm
from saas.site.settings_keeping import Keeper

RECENT = 5  # deliveries on a plugin's page


def render_detail(
    request: HttpRequest, info: PluginInfo, form: SettingsForm | None = None, result: CheckResult | None = None
) -> HttpResponse:
    """A plugin's page, with its settings as saved, or as `form` has them."""
    spec = configurable(info)
    if form is None and spec is not None:
        form = settings_form(spec)
    deliveries = Delivery.objects.filter(plugin=info.name).defer("payload")
    context = {
        "plugin": info,
        "asked": permissions.digest([info.name]),
        "health": health_of(info),
        "form": form,
        "revision": request.POST.get("revision") or revision_of(info.name),
        "result": result,
        "saved_by": _saved_by(info.name),
        "has_samples": bool(sample.points(info.name)),
        "has_history": SettingsHistory.objects.filter(plugin=info.name).exists(),
        "jobs": schedule.upcoming(info.name),
        "deliveries": list(deliveries.order_by("-id")[:RECENT]),
    }
    wrong = form is not None and bool(form.errors)
    return render(request, "settings/plugins/detail.html", context, status=422 if wrong else 200)


@require_POST
@admins_only
def configure(request: HttpRequest, name: str) -> HttpResponse:
    """Save the settings, unless somebody else has saved them since the form was made."""
    info = plugin_info.plugin(name)
    spec = configurable(info)
    if spec is None:
        return refused(request, info)
    form = settings_form(spec, request.POST)
    if not form.is_valid():
        return render_detail(request, info, form)
    try:
        configuration.configure(
            name,
            actor_of(request),
            own_part(spec, form.config, form.reset_keys),
            secrets=form.secrets,
            removed=form.removed_secrets + form.removed_keys,
            expected_revision=expected_revision(request.POST),
        )
    except configuration.SavedByNewer as error:
        messages.error(request, str(error))
        return redirect("settings:plugin", name)
    except configuration.Conflict:
        return _conflict(request, info, spec, form)
    except (configuration.Invalid, settings_store.Unreadable) as error:
        explain(form, error)
        return render_detail(request, info, form)
    messages.success(request, gettext("The settings of %(title)s are saved.") % {"title": info.title})
    return redirect("settings:plugin", name)


@require_POST
@admins_only
def test(request: HttpRequest, name: str) -> HttpResponse:
    """Try the settings as they stand in the form, saved or not, against the outside world; for htmx only what came of it."""
    info = plugin_info.plugin(name)
    spec = configurable(info)
    if spec is None or not spec.can_check:
        return refused(request, info)
    form, result = settings_form(spec, request.POST), None
    if form.is_valid():
        try:
            proposed = configuration.proposed(
                spec,
                own_part(spec, form.config, form.reset_keys),
                form.secrets,
                form.removed_secrets + form.removed_keys,
            )
        except (configuration.Invalid, settings_store.Unreadable) as error:
            explain(form, error)
        else:
            result = configuration.check(spec, proposed)
    if getattr(request, "htmx", False):
        context = {"form": form, "result": result, "fragment": True}
        return render(request, "settings_form/result.html", context)
    return render_detail(request, info, form, result)


def configurable(info: PluginInfo) -> PluginSpec | None:
    """The plugin, if it has settings and may be had here; the code of one that may not is not run."""
    spec = registry.specs.get(info.name)
    return None if info.state == "locked" or not info.has_settings else spec


def refused(request: HttpRequest, info: PluginInfo) -> HttpResponse:
    """Say why the plugin cannot be set up, on its page."""
    messages.error(
        request, info.reason_text or gettext("%(title)s has nothing to set up or to test.") % {"title": info.title}
    )
    return redirect("settings:plugin", info.name)


def settings_form(
    spec: PluginSpec, data: QueryDict | None = None, *, showing: Mapping[str, Any] | None = None, prefix: str = ""
) -> SettingsForm:
    """The form as it is saved, as it was sent, or as it would be with the tenant's own settings `showing`; `prefix` as the form's."""
    platform = layers.platform_of(spec)
    effective = _effective(spec)
    shown = effective if showing is None else layers.layered(spec, showing, platform)
    saved, _ = spec.schema.split(shown)
    secrets = [path for path in spec.schema.secret_paths if settings_store.get(effective, path) is not None]
    return SettingsForm(
        spec.schema,
        saved=saved,
        saved_secrets=secrets,
        locked=platform.locked,
        data=data,
        defaults=spec.schema.split(platform.values)[0],
        keeper=Keeper(spec.name),
        prefix=prefix,
    )


def _effective(spec: PluginSpec) -> dict[str, Any]:
    return layers.layered(spec, shapes.stored_now(spec), layers.platform_of(spec))


def own_part(spec: PluginSpec, config: Mapping[str, Any], reset: Collection[str] = frozenset()) -> dict[str, Any]:
    """The organisation's own part of `config`: what it leaves at the platform's default, or puts back to it, is not.

    Args:
        reset: fields that somebody has put back (`SettingsForm.reset_keys`).
    """
    own, defaults = shapes.stored_now(spec).keys() - set(reset), layers.platform_of(spec).values
    return {key: value for key, value in config.items() if key in own or key not in defaults or value != defaults[key]}


def explain(form: SettingsForm, error: configuration.Invalid | settings_store.Unreadable) -> None:
    """Put what saving has found wrong beside its fields; what belongs to none goes above the form."""
    form.add_errors([error.found] if isinstance(error, settings_store.Unreadable) else error.errors)


def expected_revision(data: QueryDict, prefix: str = "") -> int:
    """The revision the form was made from; none that was ever given out if the form does not say."""
    try:
        return int(data.get(f"{prefix}revision", ""))
    except ValueError:
        return -1


def revision_of(name: str) -> int:
    """The revision of the settings as saved now; 0 if nothing was."""
    return PluginState.objects.filter(plugin=name).values_list("settings_revision", flat=True).first() or 0


def _saved_by(name: str) -> AuditEntry | None:
    return AuditEntry.objects.filter(action="plugin.configured", target=name).first()


def _conflict(request: HttpRequest, info: PluginInfo, spec: PluginSpec, form: SettingsForm) -> HttpResponse:
    """Both versions side by side with a choice for each field, and the form as it was filled in: nothing has to be typed again."""
    theirs, _ = spec.schema.split(_effective(spec))
    saved, mine = (_filled(spec, each) for each in (theirs, form.config))
    context = {
        "plugin": info,
        "form": form,
        "revision": revision_of(info.name),
        "versions": versions(form, _base(spec, expected_revision(request.POST)), saved, mine),
        "saved_by": _saved_by(info.name),
    }
    return render(request, "settings/plugins/conflict.html", context, status=409)


def _base(spec: PluginSpec, revision: int) -> dict[str, Any] | None:
    """What the form was made from, if that is still known."""
    try:
        own = configuration.as_of(spec, settings_history.state_at(spec.name, revision)) if revision else {}
    except (NotAllowed, configuration.Invalid):
        return None
    return _filled(spec, layers.layered(spec, own, layers.platform_of(spec)))


def _filled(spec: PluginSpec, config: Mapping[str, Any]) -> dict[str, Any]:
    """With defaults and without secrets, so that two versions can be compared."""
    return spec.schema.split(spec.schema.validate(config).config)[0]
