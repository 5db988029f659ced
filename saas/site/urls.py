"""Addresses of the settings pages, under /settings/."""

from django.urls import path

import saas.site.names  # noqa: F401  # registers the `plugin` converter used below
from saas.site import (
    audit_page,
    delivery_pages,
    organisation_page,
    people_pages,
    personal_data_pages,
    plan_page,
    plugin_enable,
    plugin_pages,
    plugin_settings,
    sample_page,
    settings_history,
)

app_name = "settings"
urlpatterns = [
    path("plugins/", plugin_pages.index, name="plugins"),
    path("plugins/<plugin:name>/", plugin_pages.detail, name="plugin"),
    path("plugins/<plugin:name>/enable/", plugin_enable.enable, name="plugin_enable"),
    path("plugins/<plugin:name>/agree/", plugin_pages.agree, name="plugin_agree"),
    path("plugins/<plugin:name>/disable/", plugin_pages.disable, name="plugin_disable"),
    path("plugins/<plugin:name>/resume/", plugin_pages.resume, name="plugin_resume"),
    path("plugins/<plugin:name>/purge/", plugin_pages.purge_plugin, name="plugin_purge"),
    path("plugins/<plugin:name>/configure/", plugin_settings.configure, name="plugin_configure"),
    path("plugins/<plugin:name>/test/", plugin_settings.test, name="plugin_test"),
    path("plugins/<plugin:name>/sample/", sample_page.page, name="plugin_sample"),
    path("plugins/<plugin:name>/history/", settings_history.index, name="plugin_history"),
    path("plugins/<plugin:name>/history/<int:revision>/restore/", settings_history.restore, name="plugin_restore"),
    path("plugins/<plugin:name>/deliveries/", delivery_pages.index, name="deliveries"),
    path("plugins/<plugin:name>/deliveries/pause/", delivery_pages.pause, name="deliveries_pause"),
    path("plugins/<plugin:name>/deliveries/resume/", delivery_pages.resume, name="deliveries_resume"),
    path("plugins/<plugin:name>/deliveries/<int:number>/", delivery_pages.detail, name="delivery"),
    path("plugins/<plugin:name>/deliveries/<int:number>/redeliver/", delivery_pages.again, name="redeliver"),
    path("deliveries/", delivery_pages.everything, name="all_deliveries"),
    path("deliveries/redeliver/", delivery_pages.again_many, name="redeliver_many"),
    path("people/", people_pages.index, name="people"),
    path("people/invite/", people_pages.invite, name="invite"),
    path("people/invitations/<int:number>/revoke/", people_pages.revoke_invitation, name="revoke_invitation"),
    path("people/<int:number>/role/", people_pages.change_role, name="change_role"),
    path("people/<int:number>/remove/", people_pages.remove_person, name="remove_person"),
    path("people/invitations/<int:number>/resend/", people_pages.resend_invitation, name="resend_invitation"),
    path("people/data/", personal_data_pages.index, name="person_data"),
    path("people/data/export/", personal_data_pages.export, name="person_export"),
    path("people/data/erase/", personal_data_pages.erase, name="person_erase"),
    path("plan/", plan_page.index, name="plan"),
    path("audit/", audit_page.index, name="audit"),
    path("audit/table/", audit_page.table, name="audit_table"),
    path("organisation/", organisation_page.index, name="organisation"),
    path("organisation/logo/", organisation_page.change_logo, name="logo"),
    path("organisation/logo/remove/", organisation_page.remove_logo, name="logo_remove"),
    path("organisation/export/", organisation_page.export, name="organisation_export"),
    path("organisation/delete/", organisation_page.delete, name="organisation_delete"),
]
