"""A plugin's settings: the form on its page, saving it, "Test connection", and two people saving at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from plugin_framework import configuration, layers, settings_store, shapes
from plugin_framework.models import AuditEntry, Delivery, PluginState
from plugin_framework.registry import PluginSpec, registry
from plugin_framework.sdk import CheckResult
from saas.site import plugin_info
from saas.site.access import actor_of, admins_only
from saas.site.plugin_info import PluginInfo
from saas.site.settings_form import SettingsForm

RECENT = 5  # deliveries on a plugin's page


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that two people have filled in differently."""

    label: str
    theirs: str
    yours: str


def render_detail(
    request: HttpRequest, info: PluginInfo, form: SettingsForm | None = None, result: CheckResult | None = None
) -> HttpResponse:
    """A plugin's page, with its settings as saved, or as `form` has them."""
    spec = _configurable(info)
    if form is None and spec is not None:
        form = _form(spec)
    deliveries = Delivery.objects.filter(plugin=info.name).defer("payload")
    context = {
        "plugin": info,
        "form": form,
        "revision": request.POST.get("revision") or _revision(info.name),
        "result": result,
        "saved_by": _saved_by(info.name),
        "deliveries": list(deliveries.order_by("-id")[:RECENT]),
    }
    wrong = form is not None and form.is_bound and bool(form.errors)
    return render(request, "settings/plugins/detail.html", context, status=422 if wrong else 200)


@require_POST
@admins_only
def configure(request: HttpRequest, name: str) -> HttpResponse:
    """Save the settings, unless somebody else has saved them since the form was made."""
    info = plugin_info.plugin(name)
    spec = _configurable(info)
    if spec is None:
        return _refused(request, info)
    form = _form(spec, request.POST)
    if not form.is_valid():
        return render_detail(request, info, form)
    try:
        configuration.configure(
            name,
            actor_of(request),
            _own(spec, form.config),
            secrets=form.secrets,
            removed=form.removed_secrets + form.removed_keys,
            expected_revision=_expected(request.POST),
        )
    except configuration.Conflict:
        return _conflict(request, info, spec, form)
    except (configuration.Invalid, settings_store.Unreadable) as error:
        _explain(form, error)
        return render_detail(request, info, form)
    messages.success(request, f"The settings of {info.title} are saved.")
    return redirect("settings:plugin", name)


@require_POST
@admins_only
def test(request: HttpRequest, name: str) -> HttpResponse:
    """Try the settings as they stand in the form, saved or not, against the outside world."""
    info = plugin_info.plugin(name)
    spec = _configurable(info)
    if spec is None or not spec.can_check:
        return _refused(request, info)
    form, result = _form(spec, request.POST), None
    if form.is_valid():
        try:
            proposed = configuration.proposed(
                spec, _own(spec, form.config), form.secrets, form.removed_secrets + form.removed_keys
            )
        except (configuration.Invalid, settings_store.Unreadable) as error:
            _explain(form, error)
        else:
            result = configuration.check(spec, proposed)
    return render_detail(request, info, form, result)


def _configurable(info: PluginInfo) -> PluginSpec | None:
    """The plugin, if it has settings and may be had here; the code of one that may not is not run."""
    spec = registry.specs.get(info.name)
    return None if info.state == "locked" or not info.has_settings else spec


def _refused(request: HttpRequest, info: PluginInfo) -> HttpResponse:
    messages.error(request, info.reason_text or f"{info.title} has nothing to set up or to test.")
    return redirect("settings:plugin", info.name)


def _form(spec: PluginSpec, data: QueryDict | None = None) -> SettingsForm:
    platform = layers.platform_of(spec)
    effective = layers.layered(spec, shapes.stored_now(spec), platform)
    saved, _ = spec.schema.split(effective)
    secrets = [path for path in spec.schema.secret_paths if settings_store.get(effective, path) is not None]
    return SettingsForm(spec.schema, saved=saved, saved_secrets=secrets, locked=platform.locked, data=data)


def _own(spec: PluginSpec, config: Mapping[str, Any]) -> dict[str, Any]:
    """The organisation's own part of `config`: what it leaves at the platform's default remains the platform's."""
    own, defaults = shapes.stored_now(spec), layers.platform_of(spec).values
    return {key: value for key, value in config.items() if key in own or key not in defaults or value != defaults[key]}


def _explain(form: SettingsForm, error: configuration.Invalid | settings_store.Unreadable) -> None:
    """Put what saving has found wrong beside its fields; what belongs to none goes above the form."""
    form.add_errors({"": str(error)} if isinstance(error, settings_store.Unreadable) else error.errors)


def _expected(data: QueryDict) -> int:
    """The revision the form was made from; none that was ever given out if the form does not say."""
    try:
        return int(data.get("revision", ""))
    except ValueError:
        return -1


def _revision(name: str) -> int:
    return PluginState.objects.filter(plugin=name).values_list("settings_revision", flat=True).first() or 0


def _saved_by(name: str) -> AuditEntry | None:
    return AuditEntry.objects.filter(action="plugin.configured", target=name).first()


def _conflict(request: HttpRequest, info: PluginInfo, spec: PluginSpec, form: SettingsForm) -> HttpResponse:
    """Both versions side by side, and the form as it was filled in: nothing has to be typed again but secrets."""
    context = {
        "plugin": info,
        "form": form,
        "revision": _revision(info.name),
        "rows": _differences(spec, form),
        "saved_by": _saved_by(info.name),
        "retype": bool(form.secrets),
    }
    return render(request, "settings/plugins/conflict.html", context, status=409)


def _differences(spec: PluginSpec, form: SettingsForm) -> list[Difference]:
    theirs, _ = spec.schema.split(layers.layered(spec, shapes.stored_now(spec), layers.platform_of(spec)))
    mine, saved = spec.schema.validate(form.config).config, spec.schema.validate(theirs).config
    found = [
        Difference(_label(spec, key), _words(saved.get(key)), _words(mine.get(key)))
        for key in dict.fromkeys([*spec.schema.properties, *mine])
        if saved.get(key) != mine.get(key)
    ]
    changed = [*((path, "typed anew") for path in form.secrets), *((path, "removed") for path in form.removed_secrets)]
    return [*found, *(Difference(_label(spec, ".".join(path)), "kept secret", words) for path, words in changed)]


def _label(spec: PluginSpec, key: str) -> str:
    return str(spec.schema.at(tuple(key.split("."))).get("title") or key.replace("_", " ").capitalize())


def _words(value: Any) -> str:
    """A value as people read it."""
    if value is None or value == "":
        return "(empty)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
