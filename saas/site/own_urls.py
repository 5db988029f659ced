"""Addresses of one's own account, under /account/."""

from django.urls import path

from saas.site import account_pages, personal_data_pages

app_name = "own"
urlpatterns = [
    path("", account_pages.profile, name="profile"),
    path("sessions/", account_pages.sessions, name="sessions"),
    path("sessions/end-others/", account_pages.end_other_sessions, name="end_other_sessions"),
    path("sessions/<int:number>/end/", account_pages.end_session, name="end_session"),
    path("data/", personal_data_pages.own, name="data"),
    path("data/export/", personal_data_pages.own_export, name="data_export"),
    path("data/erase/", personal_data_pages.own_erase, name="data_erase"),
]
