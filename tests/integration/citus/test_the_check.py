"""`manage.py check --database default`: a third-party plugin that Citus would refuse is named, with its migration and the remedy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection, models
from django.test.utils import isolate_apps

from plugin_framework.citus.migrations_sql import texts_executed
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.integration.packages.broken import Package
from tests.integration.packages.conftest import ROOT, pip_install

MIGRATION = """\
from django.db import migrations, models

NOTIFYING = "SELECT pg_notify('somebody', 'something')"


def shout(apps, schema_editor):
    schema_editor.execute(NOTIFYING)


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Thing", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]),
        migrations.SeparateDatabaseAndState([migrations.RunSQL("CREATE TEMP TABLE scratch (id int)", "DROP TABLE scratch")]),
        migrations.RunPython(shout, migrations.RunPython.noop),
        migrations.AddField("thing", "code", models.PositiveIntegerField(unique=True, null=True)),
    ]
"""
MODELS = """\
from django.db import models


class Thing(models.Model):
    id = models.BigAutoField(primary_key=True)
    name = models.TextField()
    code = models.PositiveIntegerField(unique=True, null=True)
"""


@pytest.fixture
def unfit(tmp_path: Path) -> Path:
    """A folder with a package installed in it, whose plugin Citus would refuse."""
    files = {"models.py": MODELS, "migrations/__init__.py": "", "migrations/0001_initial.py": MIGRATION}
    pip_install(tmp_path / "site", Package("unfit", files=files).write(tmp_path / "sources"))
    return tmp_path / "site"


def _check(url: str, folder: Path, **environment: str) -> tuple[int, str]:
    command = [sys.executable, "manage.py", "check", "--database", "default"]
    own = {"DJANGO_SETTINGS_MODULE": "saas.settings", "DATABASE_URL": url, "PYTHONPATH": str(folder), **environment}
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **own}, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr


def test_a_warning_names_plugin_migration_operation_and_remedy_and_with_citus_it_is_an_error(
    committed_db: str, unfit: Path
) -> None:
    code, said = _check(committed_db, unfit)
    assert code == 0
    assert said.count("tenantry.W003") == 2, said
    assert "The plugin unfit: broken_unfit.0001_initial, “Raw SQL operation”: it makes a temporary table." in said
    assert "The plugin unfit: broken_unfit.0001_initial, “Raw Python operation”: it notifies or listens." in said
    assert "HINT: Use a common table expression" in said
    code, said = _check(committed_db, unfit, CITUS="1")
    assert code == 1
    assert said.count("tenantry.E002") == 2, said


def _speaks(apps: object, schema_editor: object) -> None:
    which = "a"
    schema_editor.execute(f"NOTIFY {which}")  # type: ignore[attr-defined]  # as migrations hand it over


def test_what_a_function_executes_is_read_from_its_source() -> None:
    assert texts_executed(_speaks) == ["NOTIFY x"]
    assert texts_executed(print) == []


def _made_for_a_moment() -> type[models.Model]:
    """A model in a registry of its own: migrations and content types of the other tests must not see it."""
    with isolate_apps("plugin_framework"):

        class Made(models.Model):
            class Meta:
                app_label = "plugin_framework"
                db_table = "made_by_a_test"

            def __str__(self) -> str:
                return str(self.pk)

    return Made


@pytest.mark.django_db
def test_a_column_is_added_with_names_for_its_constraints(tenants: Tenants) -> None:
    made = _made_for_a_moment()
    field = models.PositiveIntegerField(unique=True, null=True)
    field.set_attributes_from_name("code")
    field.model = made
    with tenant_scope(tenants.acme), connection.cursor() as cursor:
        with connection.schema_editor() as editor:
            editor.create_model(made)
            editor.add_field(made, field)
        with connection.schema_editor(collect_sql=True) as editor:
            editor.add_field(made, field)
        assert 'CONSTRAINT "made_by_a_test_code_' in editor.collected_sql[0]
        cursor.execute("SELECT contype::text FROM pg_constraint WHERE conrelid = 'made_by_a_test'::regclass")
        assert {kind for (kind,) in cursor.fetchall()} >= {"c", "u"}
