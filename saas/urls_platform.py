"""Addresses on the platform's own host: the superadmin's console, and signing in to it."""

from django.urls import include, path
from django.views.generic import RedirectView

from saas import language

urlpatterns = [
    path("", include("saas.console.urls")),
    path("language/", language.choose, name="language"),
    # Nobody registers with the platform: its people are made on the command line.
    path("accounts/signup/", RedirectView.as_view(pattern_name="account_login"), name="account_signup"),
    path("accounts/", include("allauth.account.urls")),
    path("account/", include("saas.site.own_urls")),
]

handler400 = "saas.errors.bad_request"
handler403 = "saas.errors.forbidden"
handler404 = "saas.errors.not_found"
handler500 = "saas.errors.server_error"
