"""The page, under /apps/usage-analytics/."""

from django.urls import path

from plugins.usage_analytics_plugin import views

urlpatterns = [path("", views.Usage.as_view(), name="usage")]
