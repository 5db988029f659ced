"""Addresses of the superadmin's console, on the platform host."""

from django.urls import path

import saas.site.names  # noqa: F401  # registers the `plugin` converter used below
from saas.console import (
    audit_page,
    catalog_pages,
    deletion_pages,
    fleet_pages,
    health_page,
    plan_pages,
    platform_page,
    settings_page,
    setup_pages,
    tenant_pages,
)

app_name = "platform"
urlpatterns = [
    path("", catalog_pages.overview, name="overview"),
    path("catalog/", catalog_pages.index, name="catalog"),
    path("catalog/<plugin:name>/", catalog_pages.detail, name="catalog_entry"),
    path("catalog/<plugin:name>/standing/", catalog_pages.standing, name="catalog_standing"),
    path("catalog/<plugin:name>/settings/", settings_page.settings, name="catalog_settings"),
    path("fleet/", fleet_pages.index, name="fleet"),
    path("fleet/preview/", fleet_pages.preview, name="fleet_preview"),
    path("fleet/apply/", fleet_pages.apply, name="fleet_apply"),
    path("health/", health_page.health, name="health"),
    path("audit/", audit_page.index, name="audit"),
    path("audit/table/", audit_page.table, name="audit_table"),
    path("settings/", platform_page.settings_page, name="settings"),
    path("plans/", plan_pages.index, name="plans"),
    path("plans/new/", plan_pages.new, name="new_plan"),
    path("plans/<slug:slug>/", plan_pages.detail, name="plan"),
    path("plans/<slug:slug>/remove/", plan_pages.remove, name="remove_plan"),
    path("tenants/", tenant_pages.index, name="tenants"),
    path("tenants/<slug:slug>/", tenant_pages.detail, name="tenant"),
    path("tenants/<slug:slug>/plan/", plan_pages.assign, name="change_plan"),
    path("tenants/<slug:slug>/setup/retry/", setup_pages.retry, name="retry_setup"),
    path("tenants/<slug:slug>/setup/remove/", setup_pages.remove, name="remove_setup"),
    path("tenants/<slug:slug>/suspend/", tenant_pages.suspend, name="suspend"),
    path("tenants/<slug:slug>/resume/", tenant_pages.resume, name="resume"),
    path("tenants/<slug:slug>/delete/", deletion_pages.delete, name="delete"),
    path("tenants/<slug:slug>/undelete/", deletion_pages.undelete, name="undelete"),
    path("tenants/<slug:slug>/export/", deletion_pages.export, name="export"),
]
