"""One's own account: name, and where one is signed in. Addresses and password are allauth's pages beside it.

Templates: `own/profile.html` (`form`: a ProfileForm), `own/sessions.html` (`devices`: DeviceInfo).
"""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from plugin_framework.sdk._counts import Counted
from saas.site.access import actor_of, me, signed_in
from tenants.accounts import devices, people
from tenants.accounts.forms import one_plain_line
from tenants.accounts.models import Device


class ProfileForm(forms.Form):
    """What somebody says of themselves."""

    name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=150,
        required=False,
        validators=[one_plain_line],
        help_text=gettext_lazy("The others here read it beside your address."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A device, ready to be drawn; `current`: the one that asks."""

    device: Device
    title: str
    current: bool


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def profile(request: HttpRequest) -> HttpResponse:
    """One's own name."""
    form = ProfileForm(request.POST if request.method == "POST" else None, initial={"name": me(request).name})
    if request.method != "POST" or not form.is_valid():
        return render(request, "own/profile.html", {"form": form}, status=400 if form.is_bound else 200)
    people.rename(me(request), form.cleaned_data["name"])
    messages.success(request, _("Saved."))
    return redirect("own:profile")


@require_safe
@signed_in
def sessions(request: HttpRequest) -> HttpResponse:
    """Where one is signed in."""
    key = request.session.session_key
    found = [
        DeviceInfo(each, devices.words(each.user_agent) or _("Unknown browser"), each.session_key == key)
        for each in devices.of(me(request))
    ]
    return render(request, "own/sessions.html", {"devices": found, "others": sum(not each.current for each in found)})


@require_POST
@signed_in
def end_session(request: HttpRequest, number: int) -> HttpResponse:
    """Sign out on one device."""
    if devices.end(me(request), number, actor_of(request)):
        messages.success(request, _("Signed out there."))
    else:
        messages.info(request, _("That sign-in was over already."))
    return redirect("own:sessions")


@require_POST
@signed_in
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere else."""
    count = devices.end_others(me(request), request.session.session_key or "", actor_of(request))
    said = ngettext("Signed out on %(number)s other device.", "Signed out on %(number)s other devices.", count)
    messages.success(request, said % {"number": Counted(count)} if count else _("You are signed in nowhere else."))
    return redirect("own:sessions")
