"""The announcements' pages, under /apps/announcements/."""

from django.urls import path

from plugins.announcements_plugin import views

urlpatterns = [
    path("", views.AnnouncementList.as_view(), name="list"),
    path("new/", views.AnnouncementNew.as_view(), name="new"),
    path("<int:pk>/edit/", views.AnnouncementEdit.as_view(), name="edit"),
    path("<int:pk>/delete/", views.AnnouncementDelete.as_view(), name="delete"),
    path("<int:pk>/dismiss/", views.AnnouncementDismiss.as_view(), name="dismiss"),
]
