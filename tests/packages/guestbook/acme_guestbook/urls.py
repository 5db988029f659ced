"""The guest book's pages, under /apps/guestbook/."""

from django.urls import path

from acme_guestbook import views

urlpatterns = [path("", views.Book.as_view(), name="book")]
