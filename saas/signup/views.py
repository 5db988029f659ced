"""Signing up on the public host, and arriving on the organisation's own.

Templates: `public/landing.html` (no context), `public/signup.html` (`form`: a SignUpForm).
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from saas.links import url_of
from saas.signup.forms import SignUpForm
from saas.signup.service import sign_up
from saas.throttle import allow
from saas.throttle.addresses import client_address
from tenants.accounts.preferences import asked_for
from tenants.accounts.tokens import redeem_handoff
from tenants.provisioning import SlugRefused, SlugTaken

HOUR = 3600.0
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """What this is."""
    return render(request, "public/landing.html")


@method_decorator([never_cache, sensitive_post_parameters("password")], name="dispatch")
class SignUpView(View):
    """The form, and what comes of it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """An empty form."""
        return render(request, "public/signup.html", {"form": SignUpForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Sign up, and go to the new organisation."""
        form = SignUpForm(request.POST)
        if not form.is_valid():
            return render(request, "public/signup.html", {"form": form}, status=400)
        if not _allowed(request, form.cleaned_data["email"]):
            return _too_many(request, form)
        try:
            done = sign_up(**form.cleaned_data, language=asked_for(request))
        except (SlugTaken, SlugRefused) as error:
            form.somebody_was_quicker(str(error))
            return render(request, "public/signup.html", {"form": form}, status=400)
        return HttpResponseRedirect(url_of(done.tenant.host, f"/welcome/?{urlencode({'token': done.token})}"))


def _too_many(request: HttpRequest, form: SignUpForm) -> HttpResponse:
    """The form as it was typed: whoever waits on this page can send it again."""
    form.add_error(
        None,
        _(
            "Nothing was made: many organisations were signed up from where you are in the last hour. Leave this page open, and send"
            " the form again in an hour."
        ),
    )
    form.remind_of_the_password()
    response = render(request, "public/signup.html", {"form": form}, status=429)
    response["Retry-After"] = str(int(HOUR))
    return response


def _allowed(request: HttpRequest, email: str) -> bool:
    """Both are counted, so that neither limit hides what the other sees."""
    address = allow(
        "signup.address", client_address(request), limit=settings.SIGNUPS_PER_HOUR_AND_ADDRESS, seconds=HOUR
    )
    domain = email.rpartition("@")[2].lower()
    return allow("signup.domain", domain, limit=settings.SIGNUPS_PER_HOUR_AND_MAIL_DOMAIN, seconds=HOUR) and address


@method_decorator(never_cache, name="dispatch")
class WelcomeView(View):
    """On the new organisation's own host: the token is good once, for two minutes, and in this organisation only."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Sign the owner in, and take the token out of the address."""
        user = redeem_handoff(request.GET.get("token", ""))
        if (
            user is None and request.user.is_authenticated
        ):  # the page was loaded again: they are where they wanted to be
            return redirect("tenant:dashboard")
        if user is None:
            messages.info(request, _("That link has been used already, or has expired. Sign in with your password."))
            return redirect("account_login")
        login(request, user, backend=BACKEND)
        return redirect("tenant:dashboard")
