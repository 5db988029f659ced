"""The page on which an admin agrees to what a plugin may do, fills in what it needs, and enables it: one step, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from plugin_framework import configuration, lifecycle, permissions, settings_store
from plugin_framework.gate import Reason
from plugin_framework.lifecycle import NewSettings
from plugin_framework.models import PluginState
from plugin_framework.permissions import Permission
from plugin_framework.registry import PluginSpec, registry
from plugin_framework.sdk import CheckResult, NotAllowed
from saas.site import plugin_info, plugin_settings
from saas.site.access import actor_of, admins_only
from saas.site.plugin_info import PluginInfo, Reach
from saas.site.settings_fields import Secret
from saas.site.settings_form import Section, SettingsForm
from saas.site.settings_parts import Part
from saas.site.settings_values import MISSING

# The page's own fields have a colon in their names, which no setting's has: "enable:agreed", "enable:then", "enable:try".


@dataclass(frozen=True, slots=True)
class Unready:
    """A plugin that has to be set up before the one that needs it can be enabled in one step."""

    info: PluginInfo
    why: str
    url: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What enabling a plugin would bring.

    Attributes:
        also: what is enabled first, in this order. `waits`: what it needs, is enabled already, and does not run now.
        digest: of all that these ask for, so that nobody agrees to something else than what was on the page.
    """

    info: PluginInfo
    also: tuple[PluginInfo, ...]
    unready: tuple[Unready, ...]
    waits: tuple[PluginInfo, ...]
    reach: Reach
    digest: str

    @classmethod
    def of(cls, info: PluginInfo) -> Offer:
        """Look at everything that `info` needs."""
        enabled = set(PluginState.objects.filter(enabled=True).values_list("plugin", flat=True))
        wanted = registry.requirements(info.name) if info.name in registry.specs else ()
        infos = [plugin_info.describe(lifecycle.status(name), enabled) for name in wanted]
        also = [each for each in infos if not each.enabled]
        specs = [registry.specs[each.name] for each in (*also, info) if each.name in registry.specs]
        asked: list[Permission] = [permission for spec in specs for permission in permissions.asked(spec)]
        return cls(
            info=info,
            also=tuple(also),
            unready=tuple(_unready(also, info)) if info.may_enable else (),
            waits=tuple(each for each in infos if each.enabled and not each.runs),
            reach=Reach.of(asked),
            digest=permissions.digest(spec.name for spec in specs),
        )

    @property
    def possible(self) -> bool:
        """Whether pressing the button could work."""
        return self.info.may_enable and not self.unready


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def enable(request: HttpRequest, name: str) -> HttpResponse:
    """Say what enabling brings with it and ask for the settings it needs; on POST, save them and enable it."""
    info = plugin_info.plugin(name)
    if info.enabled:
        if request.method == "POST":
            messages.success(request, _("%(title)s was enabled already.") % {"title": info.title})
        return redirect("settings:plugin", name)
    offer = Offer.of(info)
    spec = plugin_settings.configurable(info)
    form = plugin_settings.settings_form(spec, request.POST if request.method == "POST" else None) if spec else None
    if request.method != "POST":
        return _page(request, offer, form)
    if not offer.possible:
        return _page(request, offer, form, status=409)
    if request.POST.get("enable:agreed", offer.digest) != offer.digest:  # a page always sends it
        return _page(
            request, offer, form, _("What it asks for has changed since this page was shown. Look at it again.")
        )
    if form is not None and not form.is_valid():
        return _page(request, offer, form, status=422 if form.errors else 200)
    return _try(request, offer, spec, form) if "enable:try" in request.POST else _enable(request, offer, spec, form)


def _enable(request: HttpRequest, offer: Offer, spec: PluginSpec | None, form: SettingsForm | None) -> HttpResponse:
    new = _new_settings(request.POST, spec, form) if spec and form else None
    try:
        done = lifecycle.enable_with(offer.info.name, actor_of(request), new)
    except NotAllowed as error:
        return _page(request, offer, form, str(error))
    except configuration.SavedByNewer as error:
        return _page(request, offer, form, str(error))
    except configuration.Conflict:
        said = _(
            "Somebody else has saved its settings since this page was shown. Yours are in the form as you typed them."
        )
        return _page(request, offer, form, said)
    except (configuration.Invalid, settings_store.Unreadable) as error:
        return _page(request, offer, _explained(form, error), status=422)
    titles = ", ".join(plugin_info.title_of(each) for each in done)
    said = _("Enabled: %(titles)s. Its settings are saved.") if new else _("Enabled: %(titles)s.")
    messages.success(request, said % {"titles": titles})
    return _onwards(request, offer.info)


def _try(request: HttpRequest, offer: Offer, spec: PluginSpec | None, form: SettingsForm | None) -> HttpResponse:
    """Test the connection with what stands in the form; nothing is saved or enabled."""
    if spec is None or form is None or not spec.can_check:
        return _page(request, offer, form)
    try:
        own = plugin_settings.own_part(spec, form.config, form.reset_keys)
        proposed = configuration.proposed(spec, own, form.secrets, form.removed_secrets + form.removed_keys)
    except (configuration.Invalid, settings_store.Unreadable) as error:
        return _page(request, offer, _explained(form, error), status=422)
    return _page(request, offer, form, result=configuration.check(spec, proposed))


def _explained(
    form: SettingsForm | None, error: configuration.Invalid | settings_store.Unreadable
) -> SettingsForm | None:
    if form is not None:
        plugin_settings.explain(form, error)
    return form


def _new_settings(data: QueryDict, spec: PluginSpec, form: SettingsForm) -> NewSettings | None:
    """What the form says, if it says anything that is not saved already."""
    drawn = plugin_settings.settings_form(spec)
    removed = form.removed_secrets + form.removed_keys
    if form.config == drawn.config and not form.secrets and not removed:
        return None
    own = plugin_settings.own_part(spec, form.config, form.reset_keys)
    return NewSettings(own, form.secrets, removed, plugin_settings.expected_revision(data))


def _page(
    request: HttpRequest,
    offer: Offer,
    form: SettingsForm | None,
    error: str = "",
    *,
    result: CheckResult | None = None,
    status: int | None = None,
) -> HttpResponse:
    needed, others = _sections(form) if form and offer.possible else ([], [])
    if others and not needed and configuration.unfinished(registry.specs[offer.info.name]):
        needed, others = others, needed  # it needs something, and only its own code knows what
    context = {
        "plugin": offer.info,
        "offer": offer,
        "form": form,
        "needed": needed,
        "others": others,
        "result": result,
        "revision": plugin_settings.revision_of(offer.info.name),
        "then": _then(request),
        "error": error,
    }
    status = status or (409 if error else 200)
    return render(request, "settings/plugins/confirm_enable.html", context, status=status)


def _sections(form: SettingsForm) -> tuple[list[Section], list[Section]]:
    """The fields that have to be filled in, and all others, each under its legend."""
    needed: list[Section] = []
    others: list[Section] = []
    for section in form:
        must = tuple(part for part in section.parts if _must(part))
        may = tuple(part for part in section.parts if not _must(part))
        needed += [Section(section.legend, must, section.id)] if must else []
        others += [Section(section.legend, may, f"{section.id}:more")] if may else []
    return needed, others


def _must(part: Part) -> bool:
    """Whether the plugin cannot run as long as nothing is filled in here."""
    has = part.is_saved if isinstance(part, Secret) else part.basis is not MISSING
    return part.required and not has and not part.locked


def _unready(also: Sequence[PluginInfo], info: PluginInfo) -> list[Unready]:
    """Those of `also` that would not run once they are enabled: whoever needs them would wait for them, and nobody had been told."""
    found = []
    for each in also:
        why = configuration.unfinished(registry.specs[each.name]) if each.name in registry.specs else ""
        if why and each.has_settings:
            url = reverse("settings:plugin_enable", args=[each.name])
            found.append(Unready(each, why, f"{url}?{urlencode({'then': info.name})}"))
    return found


def _then(request: HttpRequest) -> str:
    """The plugin that somebody wanted when they were sent here to enable another one first."""
    name = request.POST.get("enable:then") or request.GET.get("then", "")
    return name if name in registry.specs else ""


def _onwards(request: HttpRequest, info: PluginInfo) -> HttpResponse:
    if then := _then(request):
        return redirect("settings:plugin_enable", then)
    decision = lifecycle.status(info.name).decision
    url = reverse("settings:plugin", args=[info.name])
    return redirect(f"{url}#settings" if decision.reason is Reason.NEEDS_SETUP else url)
