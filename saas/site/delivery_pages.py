"""What became of the events: the deliveries of one plugin or of all, their attempts, and "deliver again"."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from plugin_framework.delivery import breaker
from plugin_framework.delivery.redeliver import preview, redeliver, redeliver_many
from plugin_framework.models import Delivery, PluginState
from plugin_framework.models.delivery import Standing
from plugin_framework.quotas import Kind
from plugin_framework.registry import registry
from plugin_framework.sdk import NotAllowed
from plugin_framework.sdk._counts import Counted
from saas.site import plugin_info, quota_info
from saas.site.access import actor_of, admins_only
from saas.site.delivery_payload import payload_text
from saas.site.delivery_search import Asked, asked, asked_of, newest, number
from saas.site.names import has_address

PER_PAGE = 50
SOON = timedelta(minutes=1)  # a page that shows a delivery whose next attempt is so near keeps itself up to date
MOST_AT_ONCE = 10_000  # deliveries made again by one press of a button


@require_safe
@admins_only
def index(request: HttpRequest, name: str) -> HttpResponse:
    """A plugin's deliveries, newest first; see `delivery_search` for what the address may ask for."""
    info = plugin_info.plugin(name)
    hooks = {hook.name for hook in info.hooks if hook.kind == "event"}
    return _list(request, asked(request.GET, of=name), {"plugin": info, "hooks": hooks})


@require_safe
@admins_only
def everything(request: HttpRequest) -> HttpResponse:
    """The deliveries of all plugins of the organisation."""
    hooks = {point.name for point in registry.points.values() if point.kind == "event"}
    ever = [name for name in PluginState.objects.values_list("plugin", flat=True) if has_address(name)]
    names = sorted((plugin_info.title_of(name), name) for name in ever)
    resting = sorted((plugin_info.title_of(name), name) for name in breaker.rests() if name in ever)
    return _list(request, asked(request.GET), {"plugin": None, "hooks": hooks, "plugins": names, "resting": resting})


@require_safe
@admins_only
def detail(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """One delivery: its attempts, and what it carries."""
    info = plugin_info.plugin(name)
    delivery = get_object_or_404(Delivery, plugin=name, pk=number)
    payload, cut = payload_text(delivery)
    context = {
        "plugin": info,
        "delivery": delivery,
        "attempts": list(delivery.attempt_rows.order_by("-number")),
        "payload": payload,
        "payload_cut": cut,
        "live": _pending([delivery]),
        **_kept_for(),
    }
    return render(request, "settings/plugins/delivery.html", context)


@require_POST
@admins_only
def again(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Have one delivery tried again, now."""
    get_object_or_404(Delivery.objects.only("pk"), plugin=name, pk=number)
    try:
        redeliver(number, actor_of(request))
    except NotAllowed as error:
        messages.error(request, str(error))
    except Delivery.DoesNotExist as error:  # its time was up just now
        raise Http404("There is no such delivery any more.") from error
    else:
        messages.success(request, gettext("It is being delivered again."))
    return redirect("settings:delivery", name, number)


@require_POST
@admins_only
def pause(request: HttpRequest, name: str) -> HttpResponse:
    """Let a plugin's deliveries wait until somebody resumes them."""
    info = plugin_info.plugin(name)
    if not info.enabled:
        messages.error(
            request, gettext("%(title)s is not enabled, so there is nothing to pause.") % {"title": info.title}
        )
    else:
        breaker.pause(name, actor_of(request))
        messages.success(
            request,
            gettext("Deliveries of %(title)s are paused. What happens meanwhile is kept.") % {"title": info.title},
        )
    return redirect("settings:deliveries", name)


@require_POST
@admins_only
def resume(request: HttpRequest, name: str) -> HttpResponse:
    """Let them go out again, now."""
    info = plugin_info.plugin(name)
    breaker.resume(name, actor_of(request))
    messages.success(
        request,
        gettext("Deliveries of %(title)s are resumed: what was waiting is being tried now.") % {"title": info.title},
    )
    return redirect("settings:deliveries", name)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def again_many(request: HttpRequest) -> HttpResponse:
    """Ask whether the deliveries that were ticked, or all that were found, are to be made again; then do it."""
    found = asked_of(request.POST if request.method == "POST" else request.GET)
    if found.errors:
        messages.error(
            request, gettext("Nothing was delivered again: the time range cannot be read. Correct it and try again.")
        )
        return redirect(found.url())
    if "chosen" in request.GET and not found.picked:  # or all that the list was narrowed to would be meant
        messages.error(request, gettext("Nothing is chosen. Tick the deliveries that are to be delivered again."))
        return redirect(found.url())
    if found.search.upto is None:
        last = Delivery.objects.order_by("-pk").values_list("pk", flat=True).first()
        found = newest(found, last or 0)
    try:
        would = preview(found.search, found.picked)
        if request.method == "POST" and would.total <= MOST_AT_ONCE:
            done = redeliver_many(found.search, actor_of(request), found.picked)
            _say(request, done.total())
            return redirect(found.list_url)
    except NotAllowed as error:
        messages.error(request, str(error))
        return redirect(found.url())
    resting = [(plugin_info.title_of(name), text, would.counts[name]) for name, text in sorted(would.resting.items())]
    counts = [
        (plugin_info.title_of(name), count) for name, count in sorted(would.counts.items()) if name not in would.resting
    ]
    label = str(Standing(found.search.state).label) if found.search.state in Standing.values else ""
    context = {
        "asked": found,
        "would": would,
        "counts": counts,
        "resting": resting,
        "state_label": label,
        "most": MOST_AT_ONCE,
        "too_many": would.total > MOST_AT_ONCE,
    }
    return render(request, "settings/redeliver.html", context)


def _list(request: HttpRequest, found: Asked, context: dict[str, object]) -> HttpResponse:
    fragment = bool(getattr(request, "htmx", False))
    if not fragment:
        found = newest(found, None)  # only a page that keeps itself up to date leaves out what came after it
    cursors = {name: number(request.GET.get(name, "")) for name in ("before", "after")}
    page = found.search.page(PER_PAGE, **cursors)
    upto = found.search.upto or (page.rows[0].pk if page.rows and not cursors["after"] else None)
    context |= {
        "asked": found,
        "page": page,
        "deliveries": page.rows,
        "titles": {row.plugin: plugin_info.title_of(row.plugin) for row in page.rows},
        "filters": found.pills(),
        "live": _pending(page.rows),
        "live_url": found.url(upto=upto, **cursors),
        "newer_url": found.url(after=page.newer) if page.newer else "",
        "older_url": found.url(before=page.older) if page.older else "",
        "hooks": sorted({*context["hooks"], found.search.hook} - {""}),  # type: ignore[misc]  # a set of names
        "fragment": fragment,
        "quotas": [] if fragment else quota_info.pressing(Kind.DELIVERIES),
        **_kept_for(),
    }
    template = "partials/deliveries_live.html" if fragment else "settings/plugins/deliveries.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _pending(rows: Iterable[Delivery]) -> bool:
    """Whether one of `rows` is about to change by itself."""
    soon = timezone.now() + SOON
    standings = [(row.standing, row.next_at) for row in rows]
    return any(
        standing in (Standing.RUNNING, Standing.WAITING) or (standing is Standing.RETRYING and at < soon)
        for standing, at in standings
    )


def _kept_for() -> dict[str, int]:
    return {"keep": settings.DELIVERIES_KEEP_DAYS, "keep_dead": settings.DEAD_DELIVERIES_KEEP_DAYS}


def _say(request: HttpRequest, done: int) -> None:
    if not done:
        messages.info(request, gettext("There was nothing left to deliver again."))
        return
    text = ngettext("%(number)s delivery is being made again.", "%(number)s deliveries are being made again.", done)
    messages.success(request, text % {"number": Counted(done)})
