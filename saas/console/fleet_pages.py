"""The console's fleet: organisations and their plugins in a matrix, and what is done in many of them at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from plugin_framework.registry import registry
from saas.console import fleet_actions, fleet_view
from saas.console.fleet_view import KINDS, Criteria
from saas.site.access import actor_of, admins_only
from saas.site.plugin_info import title_of

ALL = "all"  # of the field `which`: every organisation that fits, not those that are ticked
PAGE = "page"  # those that the page has shown
TICKED = 100  # organisations that stay ticked after a refusal: as many as an address has room for, and more than a page shows


@require_safe
@admins_only
def index(request: HttpRequest) -> HttpResponse:
    """A page of organisations that fit what is looked for."""
    asked = _criteria(request.GET)
    found = fleet_view.page(asked)
    context = {
        "asked": asked,
        "chosen": {"of": asked.plugin, **_chosen(request.GET)},
        "fields": _fields(asked),
        "page": found,
        "kinds": KINDS.items(),
        "plugins": _plugins(),
        "actions": fleet_actions.ACTIONS.items(),
        "most": fleet_actions.MOST,
        "next_url": _address(replace(asked, after=found.next)) if found.next else "",
        "first_url": _address(replace(asked, after="")) if asked.after else "",
    }
    return render(request, "platform/fleet.html", context)


@require_POST
@admins_only
def preview(request: HttpRequest) -> HttpResponse:
    """What an action would do in each organisation that is chosen; nothing is done yet."""
    asked = _criteria(request.POST)
    action, plugin = request.POST.get("action", ""), request.POST.get("of", "")
    if request.POST.get("which") == ALL:
        slugs = fleet_view.fitting(asked, fleet_actions.MOST)
    elif request.POST.get("which") == PAGE:
        slugs = request.POST.getlist("shown")[: fleet_actions.MOST]
    else:
        slugs = request.POST.getlist("tenant")[: fleet_actions.MOST]
    effects = fleet_actions.preview(action, plugin, slugs) if _known(action, plugin) else []
    if not effects:
        messages.error(request, _why_nothing(action, plugin))
        return redirect(_address(asked, _chosen(request.POST)))
    counts = Counter(each.outcome for each in effects)
    context = {
        "action": action,
        "action_label": fleet_actions.ACTIONS[action],
        "plugin": plugin,
        "title": title_of(plugin),
        "effects": effects,
        "counts": counts,
        "changing": [each.ref.slug for each in effects if each.outcome == "change"],
        "back_url": _address(asked),
        "at_most": len(effects) == fleet_actions.MOST,
        "most": fleet_actions.MOST,
    }
    return render(request, "platform/fleet_preview.html", context)


@require_POST
@admins_only
def apply(request: HttpRequest) -> HttpResponse:
    """Do it in as many organisations as there is time for, and offer to go on with the others."""
    action, plugin = request.POST.get("action", ""), request.POST.get("of", "")
    slugs = request.POST.getlist("tenant")[: fleet_actions.MOST]
    if not slugs or not _known(action, plugin):
        messages.error(request, _why_nothing(action, plugin))
        return redirect("platform:fleet")
    done, left = fleet_actions.apply(action, plugin, slugs, actor_of(request))
    so_far = _number(request.POST.get("done", "")) + len(done)
    context = {
        "action": action,
        "action_label": fleet_actions.ACTIONS[action],
        "plugin": plugin,
        "title": title_of(plugin),
        "effects": done,
        "left": left,
        "done": so_far,
        "total": so_far + len(left),
        "back_url": _address(Criteria(plugin=plugin)),
    }
    whole = "platform/fleet_results.html"
    return render(request, "partials/fleet_slice.html" if getattr(request, "htmx", False) else whole, context)


def _criteria(data: QueryDict) -> Criteria:
    """What is looked for, as far as it makes sense."""
    given = {name: data.get(name, "").replace("\x00", "").strip()[:100] for name in ("q", "plugin", "kind", "after")}
    kind = given["kind"] if given["kind"] in KINDS else ""
    return Criteria(**{**given, "kind": kind})


def _chosen(data: QueryDict) -> dict[str, Sequence[str]]:
    """What was chosen in the form for many at once, as far as anything was: it is there again after a refusal."""
    given = {name: data.get(name, "").replace("\x00", "")[:100] for name in ("action", "of", "which")}
    ticked = [slug[:100].replace("\x00", "") for slug in data.getlist("tenant")[:TICKED]]
    return {name: value for name, value in {**given, "tenant": ticked}.items() if value}


def _fields(asked: Criteria) -> dict[str, str]:
    return {name: value for name, value in asdict(asked).items() if value and name != "after"}


def _address(asked: Criteria, chosen: Mapping[str, Sequence[str]] | None = None) -> str:
    given: dict[str, Sequence[str]] = {
        **{name: value for name, value in asdict(asked).items() if value},
        **(chosen or {}),
    }
    url = reverse("platform:fleet")
    return f"{url}?{urlencode(given, doseq=True)}" if given else url


def _plugins() -> list[tuple[str, str]]:
    return sorted(((name, title_of(name)) for name in registry.specs), key=lambda each: each[1].casefold())


def _known(action: str, plugin: str) -> bool:
    return action in fleet_actions.ACTIONS and 0 < len(plugin) <= 100 and "\x00" not in plugin


def _why_nothing(action: str, plugin: str) -> str:
    if not plugin:
        return _("Choose a plugin. Nothing was changed.")
    if action not in fleet_actions.ACTIONS:
        return _("Choose what to do. Nothing was changed.")
    return _("Tick at least one organisation. Nothing was changed.")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else 0
