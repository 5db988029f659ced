"""Addresses on the public host."""

from django.urls import URLPattern, URLResolver, include, path

from saas import language
from saas.signup.views import SignUpView, landing

public_patterns = (
    [
        path("", landing, name="landing"),
        path("signup/", SignUpView.as_view(), name="signup"),
    ],
    "public",
)
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(public_patterns)),
    path("language/", language.choose, name="language"),
    path("inbox/", include("saas.demo.urls")),  # answers 404 outside of the demo
]

handler400 = "saas.errors.bad_request"
handler403 = "saas.errors.forbidden"
handler404 = "saas.errors.not_found"
handler500 = "saas.errors.server_error"
