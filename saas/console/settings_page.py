"""The console's page of the platform's own values for a plugin's settings: suggested, or locked."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from plugin_framework import configuration, platform_settings, settings_store
from plugin_framework.registry import PluginSpec, registry
from saas.console import actions, catalog_info, catalog_pages
from saas.console.adoption import count_adoption
from saas.site.access import actor_of, admins_only
from saas.site.settings_form import SettingsForm
from saas.site.settings_keeping import Keeper
from saas.site.settings_words import label
from saas.site.spoken import spoken

LOCK = "lock"  # the boxes' name in the form


@dataclass(frozen=True, slots=True)
class Lock:
    """One field, and whether organisations may change it."""

    path: str
    label: str
    locked: bool


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def settings(request: HttpRequest, name: str) -> HttpResponse:
    """The platform's values; on POST, save them."""
    spec = registry.specs.get(name)
    if spec is None or not spec.schema.properties:
        raise Http404(f"The plugin {name!r} has no settings.")
    form = _form(spec, request.POST if request.method == "POST" else None)
    locked = request.POST.getlist(LOCK) if request.method == "POST" else platform_settings.saved(name)[1]
    if form.is_valid():
        try:
            decided = actions.set_platform_settings(
                spec,
                actor_of(request),
                form.config,
                secrets=form.secrets,
                removed=form.removed_secrets,
                locked=locked,
            )
        except configuration.Invalid as error:
            form.add_errors(error.errors)
        else:
            said = _("The platform’s settings of %(title)s are saved. Every organisation’s next request follows them.")
            catalog_pages.say(request, decided, said % {"title": spec.title})
            return redirect("platform:catalog_entry", spec.name)
    context = {
        "plugin": catalog_info.one(name, count_adoption()),
        "form": form,
        "locks": _locks(spec, locked),
        "lock_name": LOCK,
    }
    return render(request, "platform/catalog_settings.html", context, status=422 if form.errors else 200)


def _form(spec: PluginSpec, data: QueryDict | None) -> SettingsForm:
    values, _locked = platform_settings.saved(spec.name)
    public, _secrets = spec.schema.split(values)
    secrets = [path for path in spec.schema.secret_paths if settings_store.get(values, path) is not None]
    for path in secrets:
        settings_store.drop(public, path)
    return SettingsForm(spec.schema.partial(), saved=public, saved_secrets=secrets, data=data, keeper=Keeper(spec.name))


def _locks(spec: PluginSpec, locked: list[str]) -> list[Lock]:
    return [Lock(path, _long_label(spec, path), path in locked) for path in platform_settings.lockable(spec.schema)]


def _long_label(spec: PluginSpec, path: str) -> str:
    """The label with its group: two groups may each have a "Subject"."""
    parent, _dot, _name = path.rpartition(".")
    group = label(spec.schema, parent) if parent else spoken(str(spec.schema.at((path,)).get("x-group", "")))
    return f"{group}: {label(spec.schema, path)}" if group else label(spec.schema, path)
