"""The function behind the request's one statement."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql" / "resolve_host.sql"


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial"), ("catalog", "0002_revision_sequence")]

    operations = [
        migrations.RunSQL(SQL.read_text("utf-8"), "DROP FUNCTION public.tenantry_resolve_host(text)"),
    ]
