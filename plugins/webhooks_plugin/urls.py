"""The webhooks' pages, under /apps/webhooks/."""

from django.urls import path

from plugins.webhooks_plugin import views

urlpatterns = [
    path("", views.EndpointList.as_view(), name="list"),
    path("new/", views.EndpointNew.as_view(), name="new"),
    path("<int:pk>/", views.EndpointDetail.as_view(), name="detail"),
    path("<int:pk>/edit/", views.EndpointEdit.as_view(), name="edit"),
    path("<int:pk>/secret/", views.EndpointSecret.as_view(), name="secret"),
    path("<int:pk>/rotate/", views.EndpointRotate.as_view(), name="rotate"),
    path("<int:pk>/test/", views.EndpointTest.as_view(), name="test"),
    path("<int:pk>/switch-on/", views.EndpointSwitchOn.as_view(), name="switch-on"),
    path("<int:pk>/switch-off/", views.EndpointSwitchOff.as_view(), name="switch-off"),
    path("<int:pk>/delete/", views.EndpointDelete.as_view(), name="delete"),
]
