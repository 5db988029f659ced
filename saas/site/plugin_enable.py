"""The page on which an admin agrees to what a plugin may do, fills in what it needs, and enables it: one step, all or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from plugin_framework import configuration, lifecycle, permissions
from plugin_framework.gate import Reason
from plugin_framework.models import PluginState
from plugin_framework.permissions import Permission
from plugin_framework.registry import registry
from plugin_framework.sdk import NotAllowed
from saas.site import plugin_info
from saas.site.access import actor_of, admins_only
from saas.site.plugin_info import PluginInfo, Reach
from saas.site.plugin_setup import Setup, setups, wrong

# The page's own fields have a colon in their names, which no setting's has: "enable:agreed", "enable:try" (of which plugin).


@dataclass(frozen=True, slots=True)
class Offer:
    """What enabling a plugin would bring.

    Attributes:
        also: what is enabled first, in this order. `waits`: what it needs, is enabled already, and does not run now.
        digest: of all that these ask for, so that nobody agrees to something else than what was on the page.
    """

    info: PluginInfo
    also: tuple[PluginInfo, ...]
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
            waits=tuple(each for each in infos if each.enabled and not each.runs),
            reach=Reach.of(asked),
            digest=permissions.digest(spec.name for spec in specs),
        )


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
    data = request.POST if request.method == "POST" else None
    found = setups(info, offer.also, data) if info.may_enable else []
    if data is None:
        return _page(request, offer, found)
    if not info.may_enable:
        return _page(request, offer, found, status=409)
    if data.get("enable:agreed", offer.digest) != offer.digest:  # a page always sends it
        said = _("What it asks for has changed since this page was shown. Look at it again.")
        return _page(request, offer, found, said)
    if "enable:try" in data:
        return _try(request, offer, found)
    if any(each.form.redraws for each in found):
        return _drawn_again(request, offer, found)
    if not all(each.form.is_valid() for each in found):
        return _page(request, offer, found, status=422)
    return _enable(request, offer, found)


def _enable(request: HttpRequest, offer: Offer, found: list[Setup]) -> HttpResponse:
    new = {each.spec.name: settings for each in found if (settings := each.new(request.POST))}
    try:
        done = lifecycle.enable_with(offer.info.name, actor_of(request), new)
    except NotAllowed as error:
        return _page(request, offer, found, str(error))
    except lifecycle.NotSaved as error:
        return _not_saved(request, offer, found, error)
    titles = ", ".join(plugin_info.title_of(each) for each in done)
    said = _("Enabled: %(titles)s. Its settings are saved.") if new else _("Enabled: %(titles)s.")
    if len(new) > 1 or new.keys() - {offer.info.name}:
        said = _("Enabled: %(titles)s. The settings are saved.")
    messages.success(request, said % {"titles": titles})
    return _onwards(offer.info)


def _not_saved(request: HttpRequest, offer: Offer, found: list[Setup], error: lifecycle.NotSaved) -> HttpResponse:
    """The page again, with the reason at the plugin whose settings were not taken."""
    setup = next(each for each in found if each.spec.name == error.plugin)
    if isinstance(error.why, configuration.SavedByNewer):
        return _page(request, offer, found, str(error.why))
    if isinstance(error.why, configuration.Conflict):
        said = _(
            "Somebody else has saved the settings of %(title)s since this page was shown. Yours are in the form as you typed them."
        )
        return _page(request, offer, found, said % {"title": setup.info.title})
    setup.explain(error.why)
    return _page(request, offer, found, status=422)


def _try(request: HttpRequest, offer: Offer, found: list[Setup]) -> HttpResponse:
    """Test the connection of one plugin with what stands in its form; nothing is saved or enabled."""
    wanted = request.POST.get("enable:try", "")
    for each in found:
        if each.spec.name == wanted:
            each.test()
        else:
            each.form.forgive()  # the others may not be filled in yet
    failed = any(each.form.errors for each in found)
    return _page(request, offer, found, status=422 if failed else None)


def _drawn_again(request: HttpRequest, offer: Offer, found: list[Setup]) -> HttpResponse:
    """The page with a row more, or a default, in one of the forms; nobody has said yet that the others are done."""
    for each in found:
        each.form.forgive()
    return _page(request, offer, found)


def _page(
    request: HttpRequest, offer: Offer, found: list[Setup], error: str = "", *, status: int | None = None
) -> HttpResponse:
    context = {
        "plugin": offer.info,
        "offer": offer,
        "setups": found,
        "wrong": wrong(found),
        "result": next((each for each in found if each.result), None),
        "unsaved": any(each.form.unsaved for each in found),
        "has_rows": any(each.form.has_rows for each in found),
        "error": error,
    }
    status = status or (409 if error else 200)
    return render(request, "settings/plugins/confirm_enable.html", context, status=status)


def _onwards(info: PluginInfo) -> HttpResponse:
    decision = lifecycle.status(info.name).decision
    url = reverse("settings:plugin", args=[info.name])
    return redirect(f"{url}#settings" if decision.reason is Reason.NEEDS_SETUP else url)
