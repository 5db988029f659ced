"""Registering with an organisation: an HTML form, and JSON for programs.

Template: `accounts/register.html` (`form`: a RegisterForm; `invitation`: the Invitation of the link, or None).
`?invitation=TOKEN` is what the mailed link carries; it stays in the address when the form is sent.
"""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.signup import prevent_enumeration
from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from plugin_framework.sdk import PluginAwareView, Veto
from plugin_framework.tenancy import current_tenant
from saas.site import json_forms
from saas.throttle import allow
from saas.throttle.addresses import client_address
from tenants.accounts import people
from tenants.accounts.forms import NewPersonForm
from tenants.accounts.models import Invitation
from tenants.accounts.places import NoPlace
from tenants.accounts.preferences import asked_for

HOUR = 3600
TOO_MANY = _("Too many registrations came from where you are in the last hour. Try again in an hour.")
WORTHLESS = _(
    "This invitation has been used or taken back, or it has expired. You can register without it, or ask for a new one."
)


class RegisterForm(NewPersonForm):
    """Who somebody is. An invitation fixes the address: its link proves that one and no other."""

    def __init__(self, *args: Any, invitation: Invitation | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if invitation is not None:
            self.fields["email"].disabled = True
            self.initial["email"] = invitation.email


@method_decorator([csrf_exempt, never_cache, sensitive_post_parameters("password")], name="dispatch")
class RegisterView(PluginAwareView):
    """What browsers send is checked against cross-site requests; what a program sends carries no cookie to be misused."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The form; somebody who is signed in already needs none."""
        if request.user.is_authenticated:
            return redirect("tenant:dashboard")
        invitation = _invitation(request)
        if invitation is None and "invitation" in request.GET:
            messages.warning(request, WORTHLESS)
        return _page(request, RegisterForm(invitation=invitation), invitation)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Register, as the request's kind wants it answered."""
        answer = _answer_json if json_forms.wanted(request) else _answer_form
        return answer(request) if json_forms.from_a_program(request) else csrf_protect(answer)(request)


def _answer_form(request: HttpRequest) -> HttpResponse:
    """An address that has an account already is answered like a new one: the form must not tell who is here."""
    if request.user.is_authenticated:
        return redirect("tenant:dashboard")
    invitation = _invitation(request)
    form = RegisterForm(request.POST, invitation=invitation)
    if not form.is_valid():
        return _page(request, form, invitation, status=400)
    if not _allowed(request):
        return _limited(render(request, "errors/429.html", {"message": TOO_MANY}, status=429))
    try:
        user = people.register(**form.cleaned_data, invitation=invitation, language=asked_for(request))
    except (Veto, people.InvitationGone) as refused:
        form.add_error(None, str(refused))
        return _page(request, form, invitation, status=400)
    except NoPlace:
        form.add_error(None, _full())
        return _page(request, form, invitation, status=409)
    except people.EmailTaken as taken:
        if invitation is None:
            return prevent_enumeration(request, email=form.cleaned_data["email"])  # type: ignore[no-any-return]  # allauth is untyped
        form.add_error(None, str(taken))  # whoever has the link reads that address's mail: it is no news to them
        return _page(request, form, invitation, status=400)
    return perform_login(request, user, email_verification=None, signup=True)  # type: ignore[no-any-return]  # the same


def _answer_json(request: HttpRequest) -> JsonResponse:
    """201 with `user_id` and `status`, or the errors by field. A program is told that an address is taken; it is limited in number."""
    try:
        given = json_forms.read(request, RegisterForm.base_fields)
    except json_forms.Unreadable as wrong:
        return json_forms.errors(wrong.by_field)
    invitation = _invitation(request)
    form = RegisterForm(given, invitation=invitation)
    if not form.is_valid():
        return json_forms.errors(form.errors)
    if not _allowed(request):
        return _limited(json_forms.errors({"__all__": [TOO_MANY]}, status=429))
    try:
        user = people.register(**form.cleaned_data, invitation=invitation, language=asked_for(request))
    except (Veto, people.InvitationGone) as refused:
        return json_forms.errors({"__all__": [refused]})
    except NoPlace:
        return json_forms.errors({"__all__": [_full()]}, status=409)
    except people.EmailTaken as taken:
        return json_forms.errors({"email": [taken]}, status=409)
    return JsonResponse({"user_id": user.pk, "status": "created"}, status=201)


def _full() -> str:
    """What somebody reads who cannot change it; the admins have had a mail, and read the rest there."""
    said = _(
        "%(name)s has no free place for another account just now. Its admins have been told; ask them, and try again then."
    )
    return said % {"name": current_tenant().name}


def _invitation(request: HttpRequest) -> Invitation | None:
    token = request.GET.get("invitation", "")
    return people.invitation_for(token) if token else None


def _allowed(request: HttpRequest) -> bool:
    key = f"{current_tenant().schema}/{client_address(request)}"
    return allow("register", key, limit=settings.REGISTRATIONS_PER_HOUR_AND_ADDRESS, seconds=HOUR)


def _limited[R: HttpResponse](response: R) -> R:
    response["Retry-After"] = str(HOUR)
    return response


def _page(request: HttpRequest, form: RegisterForm, invitation: Invitation | None, status: int = 200) -> HttpResponse:
    return render(request, "accounts/register.html", {"form": form, "invitation": invitation}, status=status)
