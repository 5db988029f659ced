"""When each tenant's jobs are due."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery", "0002_breaker")]
    operations = [
        migrations.CreateModel(
            name="Schedule",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_schema", "plugin", "job", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tenant_schema", models.CharField(max_length=63)),
                ("plugin", models.CharField(max_length=100)),
                ("job", models.CharField(max_length=100)),
                ("expression", models.CharField(max_length=100)),
                ("due_at", models.DateTimeField()),
                ("run_at", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["run_at"], name="delivery_schedule_due")]},
        ),
    ]
