"""What comes with the platform can be spread over a Citus cluster: none of its migrations does what Citus refuses."""

from __future__ import annotations

import pytest
from django.apps import apps

from plugin_framework.citus.check import bare, findings
from plugin_framework.citus.forbidden import broken_rules
from plugin_framework.citus.migrations_sql import statements
from plugin_framework.citus.tables import PLAIN, REGISTERED
from plugin_framework.db.migrator import shared_labels, tenant_labels
from plugin_framework.registry import registry
from plugin_framework.tenancy import public_scope
from tenants.models import Blueprint


def test_no_migration_of_ours_does_what_citus_refuses() -> None:
    assert [str(each) for each in findings()] == []


def test_every_migration_of_tenants_and_plugins_was_read() -> None:
    labels = tenant_labels() | {spec.app_label for spec in registry.specs.values() if spec.app_label}
    found = list(statements(labels))
    assert labels <= {each.app for each in found}
    assert any("CREATE TABLE" in each.sql and "webhooks" in each.sql for each in found)
    assert any("ADD COLUMN" in each.sql for each in found)


def test_of_each_public_table_it_is_decided_whether_citus_knows_of_it() -> None:
    models = [m for label in shared_labels() for m in apps.get_app_config(label).get_models(include_auto_created=True)]
    assert not {*REGISTERED} & {*PLAIN}
    assert {*REGISTERED} | {*PLAIN} == {bare(model._meta.db_table) for model in models}


@pytest.mark.django_db
def test_the_blueprint_of_new_schemas_does_nothing_that_citus_refuses() -> None:
    with public_scope():
        statements = Blueprint.objects.get().statements
    assert "CREATE TABLE" in statements
    assert [rule.name for rule in broken_rules(statements)] == []
