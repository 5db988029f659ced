"""What is kept of one person: shown, handed out as a file, erased; by an admin for anybody, and by each person for themselves.

The plugins are asked what they keep when somebody wants it counted, a few of them on each page (`?count=` and the name to begin with),
and when it is handed out or erased: each costs queries.

Templates: `settings/person.html` (`email`; `held`: a Held, or None before an address was given; `own`: whether it is one's own;
`error`: why it was not erased; `owners_only`; `last_owner`: whether it is one's own and must stay; `count_url`: where to have it
counted). `settings/person_counted.html` (`parts`; `next_url`: where the others are counted, or ""; `back_url`).
`settings/erased.html` (`done`: an Erasure; `own`).
"""

from __future__ import annotations

import json

from django import forms
from django.contrib.auth import logout
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from plugin_framework.sdk import Person
from saas.site.access import actor_of, admins_only, me, signed_in
from saas.site.confirming import password_again
from tenants.accounts import people, personal_data
from tenants.accounts.forms import email_field
from tenants.accounts.models import Role, User


class WhoForm(forms.Form):
    """Whose data it is about."""

    email = email_field()


@require_safe
@admins_only
def index(request: HttpRequest) -> HttpResponse:
    """Ask for an address, and show what is kept of whoever has it."""
    if "email" not in request.GET:
        return render(request, "settings/person.html", {"form": WhoForm(), "held": None})
    form = WhoForm(request.GET)
    if not form.is_valid():
        return render(request, "settings/person.html", {"form": form, "held": None}, status=400)
    return _shown(request, personal_data.person_at(form.cleaned_data["email"]))


@require_POST
@admins_only
@password_again(gettext_lazy("Download all of it"), download=True, keeps=("email",))
def export(request: HttpRequest) -> HttpResponse:
    """Hand out what is kept of whoever has an address."""
    form = WhoForm(request.POST)
    if not form.is_valid():
        return render(request, "settings/person.html", {"form": form, "held": None}, status=400)
    return _file(request, personal_data.person_at(form.cleaned_data["email"]))


@require_POST
@admins_only
def erase(request: HttpRequest) -> HttpResponseBase:
    """Erase it, after the address was typed."""
    form = WhoForm(request.POST)
    if not form.is_valid():
        return render(request, "settings/person.html", {"form": form, "held": None}, status=400)
    person = personal_data.person_at(form.cleaned_data["email"])
    return _refused(request, person) or _erase_other(request, person)


@password_again(gettext_lazy("Erase this person’s data"), danger=True, keeps=("email",))
def _erase_other(request: HttpRequest, person: Person) -> HttpResponse:
    return _erase(request, person)


@require_safe
@signed_in
def own(request: HttpRequest) -> HttpResponse:
    """Show what is kept of oneself."""
    return _shown(request, personal_data.person_of(me(request)))


@require_POST
@signed_in
@password_again(gettext_lazy("Download all of it"), download=True)
def own_export(request: HttpRequest) -> HttpResponse:
    """Hand out what is kept of oneself."""
    return _file(request, personal_data.person_of(me(request)))


@require_POST
@signed_in
def own_erase(request: HttpRequest) -> HttpResponseBase:
    """Erase oneself, after one's address was typed."""
    person = personal_data.person_of(me(request))
    return _refused(request, person) or _erase_oneself(request, person)


@password_again(gettext_lazy("Erase my account and data"), danger=True)
def _erase_oneself(request: HttpRequest, person: Person) -> HttpResponse:
    return _erase(request, person)


def _shown(request: HttpRequest, person: Person) -> HttpResponse:
    return _counted(request, person, request.GET["count"]) if "count" in request.GET else _page(request, person)


def _counted(request: HttpRequest, person: Person, begin: str) -> HttpResponse:
    """What the plugins from `begin` on keep: as many of them as one page may ask."""
    parts, following = personal_data.of_some_plugins(person, begin)
    own = person.user_id == me(request).pk
    context = {
        "email": person.emails[0],
        "own": own,
        "parts": parts,
        "begun": bool(begin),
        "next_url": _url(person, own=own, count=following) if following else "",
        "first_url": _url(person, own=own, count="") if begin else "",
        "back_url": _url(person, own=own),
    }
    return render(request, "settings/person_counted.html", context)


def _page(request: HttpRequest, person: Person, error: str = "") -> HttpResponse:
    found = personal_data.held(person, ask=False)
    own = person.user_id == me(request).pk
    context = {
        "form": WhoForm(initial={"email": person.emails[0]}),
        "held": found,
        "email": person.emails[0],
        "own": own,
        "count_url": _url(person, own=own, count=""),
        "error": error,
        "owners_only": me(request).role != Role.OWNER and _is_owner(person),
        "last_owner": own and people.is_last_owner(me(request)),
    }
    return render(request, "settings/person.html", context, status=409 if error else 200)


def _url(person: Person, *, own: bool, **query: str) -> str:
    path = reverse("own:data") if own else reverse("settings:person_data")
    asked = query if own else {"email": person.emails[0], **query}
    return f"{path}?{urlencode(asked)}" if asked else path


def _is_owner(person: Person) -> bool:
    return person.user_id is not None and User.objects.filter(pk=person.user_id, role=Role.OWNER).exists()


def _file(request: HttpRequest, person: Person) -> HttpResponse:
    document = personal_data.export(person, actor_of(request))
    text = json.dumps(document, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    name = f"personal-data-{timezone.localdate():%Y-%m-%d}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _refused(request: HttpRequest, person: Person) -> HttpResponse | None:
    """The page that says why, if it cannot be; nobody is asked for their password for nothing."""
    try:
        personal_data.check(person, by=me(request), confirmation=_typed(request))
    except personal_data.NotPossible as error:
        return _page(request, person, str(error))
    return None


def _typed(request: HttpRequest) -> str:
    return request.POST.get("confirmation", "")[:254]


def _erase(request: HttpRequest, person: Person) -> HttpResponse:
    own = person.user_id == me(request).pk
    try:
        done = personal_data.erase(person, actor_of(request), by=me(request), confirmation=_typed(request))
    except (personal_data.NotPossible, personal_data.CannotErase) as error:
        return _page(request, person, str(error))
    if own:
        logout(request)
    return render(request, "settings/erased.html", {"done": done, "own": own})
