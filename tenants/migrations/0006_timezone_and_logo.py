"""A tenant's time zone and logo, and the request's one statement, which reads them.

A function's columns cannot be added to, so that there is a new one; older code goes on calling `tenantry_resolve_host`.
"""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql" / "find_host.sql"


class Migration(migrations.Migration):
    dependencies = [("tenants", "0005_spares")]

    operations = [
        migrations.AddField("tenant", "timezone", models.CharField(max_length=64, db_default="UTC", default="UTC")),
        migrations.AddField("tenant", "logo", models.CharField(max_length=200, blank=True, db_default="")),
        migrations.RunSQL(SQL.read_text("utf-8"), "DROP FUNCTION public.tenantry_find_host(text)"),
    ]
