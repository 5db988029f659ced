"""Addresses on an organisation's own host."""

from django.urls import include, path
from django.views.generic import RedirectView

from saas import language
from saas.signup.views import WelcomeView
from saas.site import files, logo
from saas.site.dashboard import DashboardView, first_steps_page
from saas.site.registration import RegisterView

tenant_patterns = (
    [
        path("", DashboardView.as_view(), name="dashboard"),
        path("first-steps/", first_steps_page, name="first_steps"),
        path("register/", RegisterView.as_view(), name="register"),
        path("welcome/", WelcomeView.as_view(), name="welcome"),
        path("logo/", logo.show, name="logo"),
    ],
    "tenant",
)
urlpatterns = [
    path("", include(tenant_patterns)),
    path("language/", language.choose, name="language"),
    # Accounts are made by our own page only: it asks the plugins and announces the newcomer.
    path("accounts/signup/", RedirectView.as_view(pattern_name="tenant:register"), name="account_signup"),
    path("accounts/", include("allauth.account.urls")),
    path("account/", include("saas.site.own_urls")),
    path("settings/", include("saas.site.urls")),
    path("settings/", RedirectView.as_view(pattern_name="settings:plugins"), name="settings"),
    path("apps/", include("plugin_framework.urls")),
    path("files/<path:name>", files.download, name="file"),
]

handler400 = "saas.errors.bad_request"
handler403 = "saas.errors.forbidden"
handler404 = "saas.errors.not_found"
handler429 = "saas.errors.too_many"  # allauth asks for it here, whichever host it is
handler500 = "saas.errors.server_error"
