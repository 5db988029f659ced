"""The page on which an admin sends a plugin a sample event, to see what it does with it."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from plugin_framework.delivery import sample
from plugin_framework.models import Delivery
from plugin_framework.quotas import Kind
from plugin_framework.sdk import HookPoint, NotAllowed
from saas.site import plugin_info, quota_info
from saas.site.access import actor_of, admins_only
from saas.site.delivery_payload import payload_text
from saas.site.plugin_info import PluginInfo
from saas.site.spoken import spoken


@dataclass(frozen=True, slots=True)
class Choice:
    """One event of which a sample can be sent, and what it would carry; or why there is none."""

    name: str
    doc: str
    carries: str
    error: str


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def page(request: HttpRequest, name: str) -> HttpResponse:
    """Choose one of the events that the plugin acts on; on POST, send its sample and lead on to the delivery."""
    info = plugin_info.plugin(name)
    chosen = request.POST.get("event", "")
    if request.method != "POST":
        return _form(request, info)
    try:
        sent = sample.send(name, chosen, actor_of(request), request.user)
    except NotAllowed as error:
        return _form(request, info, chosen, str(error))
    said = _("A sample of %(event)s is on its way to %(title)s.") % {"event": chosen, "title": info.title}
    messages.success(request, said)
    if len(sent) == 1:
        return redirect("settings:delivery", name, sent[0].pk)
    return redirect(f"{reverse('settings:deliveries', args=[name])}?hook={chosen}")


def _form(request: HttpRequest, info: PluginInfo, chosen: str = "", error: str = "") -> HttpResponse:
    choices = [_choice(point, request) for point in sample.points(info.name)]
    ready = next((each.name for each in choices if not each.error), "")
    context = {
        "plugin": info,
        "choices": choices,
        "chosen": chosen or ready,
        "error": error,
        "without": [
            hook for hook in info.hooks if hook.kind == "event" and hook.name not in {each.name for each in choices}
        ],
        "quotas": quota_info.pressing(Kind.DELIVERIES),
    }
    return render(request, "settings/plugins/sample.html", context, status=409 if error else 200)


def _choice(point: HookPoint, request: HttpRequest) -> Choice:
    try:
        _args, frozen = sample.arguments(point, request.user)
    except NotAllowed as error:
        return Choice(point.name, spoken(point.doc), "", str(error))
    text, _cut = payload_text(Delivery(hook=point.name, payload=frozen))
    return Choice(point.name, spoken(point.doc), text, "")
