"""Addresses of the inbox pages, on the public host."""

from django.urls import path

from saas.demo import views

app_name = "inbox"
urlpatterns = [
    path("", views.index, name="index"),
    path("inbox.json", views.rows, name="json"),
    path("platform/", views.index, {"platform": True}, name="platform"),
    path("platform/inbox.json", views.rows, {"platform": True}, name="platform_json"),
    path("<int:number>/", views.message, name="message"),
]
