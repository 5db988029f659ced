"""Registering with an organisation: an HTML form, and JSON for programs.

Template: `accounts/register.html` (`form`: a RegisterForm; `invitation`: the Invitation of the link, or None).
"""

from __future__ import annotations

import json
from typing import Any

from allauth.account.internal.flows.signup import prevent_enumeration
from allauth.account.utils import perform_login
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
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
from saas.throttle import allow
from saas.throttle.addresses import client_address
from tenants.accounts import people
from tenants.accounts.models import Invitation, User

HOUR = 3600.0
TOO_MANY = _("Too many registrations came from your address in the last hour. Try again later.")


class RegisterForm(forms.Form):
    """Who somebody is. An invitation fixes the address: its link proves that one and no other."""

    name = forms.CharField(
        label=_("Your name"), max_length=150, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(label=_("Email"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        help_text=_("Ten characters or more; a few words are better than one with odd signs."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, invitation: Invitation | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if invitation is not None:
            self.fields["email"].disabled = True
            self.initial["email"] = invitation.email

    def clean(self) -> dict[str, Any]:
        """The password, compared with the person it belongs to."""
        found = self.cleaned_data
        if found.get("password"):
            try:
                validate_password(found["password"], User(email=found.get("email", ""), name=found.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return found


@method_decorator([csrf_exempt, never_cache, sensitive_post_parameters("password")], name="dispatch")
class RegisterView(PluginAwareView):
    """Forms are checked against cross-site requests; JSON cannot be sent across sites without the browser asking first."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The form; somebody who is signed in already needs none."""
        if request.user.is_authenticated:
            return redirect("tenant:dashboard")
        invitation = people.invitation_for(request.GET.get("invitation", ""))
        return _page(request, RegisterForm(invitation=invitation), invitation)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Register, as the request's kind wants it answered."""
        if request.content_type == "application/json":
            return _answer_json(request)
        return csrf_protect(_answer_form)(request)


def _answer_form(request: HttpRequest) -> HttpResponse:
    """An address that has an account already is answered like a new one: the form must not tell who is here."""
    invitation = people.invitation_for(request.GET.get("invitation", ""))
    form = RegisterForm(request.POST, invitation=invitation)
    if not form.is_valid():
        return _page(request, form, invitation, status=400)
    if not _allowed(request):
        return render(request, "errors/429.html", {"message": TOO_MANY}, status=429)
    try:
        user = people.register(**form.cleaned_data, invitation=invitation)
    except Veto as veto:
        form.add_error(None, str(veto))
        return _page(request, form, invitation, status=400)
    except people.EmailTaken:
        return prevent_enumeration(request, email=form.cleaned_data["email"])  # type: ignore[no-any-return]  # allauth is untyped
    return perform_login(request, user, email_verification=None, signup=True)  # type: ignore[no-any-return]  # the same


def _answer_json(request: HttpRequest) -> JsonResponse:
    """201 with `user_id` and `status`, or the errors by field. A program is told that an address is taken; it is limited in number."""
    try:
        given = json.loads(request.body)
    except (ValueError, RecursionError):
        return JsonResponse({"errors": {"__all__": ["The body is not JSON."]}}, status=400)
    if not isinstance(given, dict):
        return JsonResponse({"errors": {"__all__": ["Send a JSON object with email and password."]}}, status=400)
    form = RegisterForm({key: value for key, value in given.items() if isinstance(value, str)})
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=400)
    if not _allowed(request):
        return JsonResponse({"errors": {"__all__": [str(TOO_MANY)]}}, status=429)
    try:
        user = people.register(**form.cleaned_data)
    except Veto as veto:
        return JsonResponse({"errors": {"__all__": [str(veto)]}}, status=400)
    except people.EmailTaken as error:
        return JsonResponse({"errors": {"email": [str(error)]}}, status=409)
    return JsonResponse({"user_id": user.pk, "status": "created"}, status=201)


def _allowed(request: HttpRequest) -> bool:
    key = f"{current_tenant().schema}/{client_address(request)}"
    return allow("register", key, limit=settings.REGISTRATIONS_PER_HOUR_AND_ADDRESS, seconds=HOUR)


def _page(request: HttpRequest, form: RegisterForm, invitation: Invitation | None, status: int = 200) -> HttpResponse:
    return render(request, "accounts/register.html", {"form": form, "invitation": invitation}, status=status)
