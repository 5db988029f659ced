"""Asks for the password once more, before personal data or a whole organisation leaves the house or is deleted.

Somebody may have sat down at a computer that another has left signed in. How long one answer lasts is `CONFIRMED_FOR_MINUTES`; it is
kept in the session, and so in one organisation alone. Template: `account/confirm.html` (`form`: asks for the password; None for whoever
has none, or has just typed it; `sent`: what was sent, to be sent again with it; `step`; `about`: whom;
`back`: where to go else).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allauth.account.internal.flows import reauthentication
from allauth.core import ratelimit
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters

from saas.site.access import Page, me, one_up
from tenants.accounts.allauth_forms import ReauthenticateForm

PREFIX = "confirm"  # of the form's own field, beside those that were sent
PASSWORD = f"{PREFIX}-password"
_OWN = frozenset({PASSWORD, "csrfmiddlewaretoken"})


@dataclass(frozen=True, slots=True)
class Step:
    """What is asked for: the words of its button, whether it destroys something, and whether it answers with a file.

    Attributes:
        keeps: fields of the form without which the page that one goes back to is empty.
    """

    what: str | Promise
    danger: bool = False
    download: bool = False
    keeps: tuple[str, ...] = ()


def password_again[**P](
    what: str | Promise, *, danger: bool = False, download: bool = False, keeps: tuple[str, ...] = ()
) -> Callable[[Page[P]], Page[P]]:
    """Let on only who has typed their password within the last minutes; the others are asked, and lose nothing they have sent.

    It belongs under the guard that says who may at all, so that nobody else is asked. A file comes only after another press of a
    button: a browser that is given one stays on the page, and would go on showing the question. Arguments as of `Step`.
    """
    step = Step(what, danger, download, keeps)

    def guard(page: Page[P]) -> Page[P]:
        @sensitive_post_parameters(PASSWORD)
        @functools.wraps(page)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if confirmed(request):
                return page(request, *args, **kwargs)
            if PASSWORD not in request.POST or not me(request).has_usable_password():
                return _ask(request, step)
            if (refused := ratelimit.consume_or_429(request, action="reauthenticate", user=me(request))) is not None:
                answer: HttpResponseBase = refused
                return answer
            form = ReauthenticateForm(request.POST, user=me(request), prefix=PREFIX)
            if not form.is_valid():
                return _ask(request, step, form)
            reauthentication.reauthenticate_by_password(request)
            return _ready(request, step) if download else page(request, *args, **kwargs)

        return guarded

    return guard


def confirmed(request: HttpRequest) -> bool:
    """Whether whoever is signed in has typed their password within the last minutes. allauth would let on who has none to type."""
    return me(request).has_usable_password() and bool(reauthentication.did_recently_reauthenticate(request))


def _ask(request: HttpRequest, step: Step, form: Any = None) -> HttpResponseBase:
    if form is None and me(request).has_usable_password():
        form = ReauthenticateForm(user=me(request), prefix=PREFIX)
    return _show(request, step, form, status=422 if form is not None and form.is_bound else 200)


def _ready(request: HttpRequest, step: Step) -> HttpResponseBase:
    return _show(request, step, None, status=200)


def _show(request: HttpRequest, step: Step, form: Any, *, status: int) -> HttpResponseBase:
    sent = [(name, value) for name, values in request.POST.lists() if name not in _OWN for value in values]
    kept = urlencode([(name, value) for name, value in sent if name in step.keeps])
    context = {
        "form": form,
        "sent": sent,
        "step": step,
        "about": _about(request),
        "ready": confirmed(request),
        "back": f"{one_up(request)}?{kept}" if kept else one_up(request),
        "minutes": settings.CONFIRMED_FOR_MINUTES,
    }
    return render(request, "account/confirm.html", context, status=status)


def _about(request: HttpRequest) -> str:
    """Whom or what it is about, where that is not whoever asks or where they are: a person's address, an organisation's short name."""
    match = request.resolver_match
    slug = str(match.kwargs.get("slug", "")) if match else ""
    return slug or request.POST.get("email", "")[:254]
