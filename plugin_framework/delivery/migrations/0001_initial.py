"""Wake-ups, lanes, workers, and the sequence that fences come from."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE public.delivery_fence_seq AS bigint", "DROP SEQUENCE public.delivery_fence_seq"
        ),
        migrations.CreateModel(
            name="Wake",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tenant_schema", models.CharField(max_length=63)),
                ("plugin", models.CharField(max_length=100)),
                ("delivery_id", models.BigIntegerField()),
                ("written_at", models.DateTimeField(db_default=Now())),
                ("look_at", models.DateTimeField(db_default=Now())),
            ],
        ),
        migrations.CreateModel(
            name="Worker",
            fields=[
                ("id", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("host", models.CharField(max_length=200)),
                ("pid", models.BigIntegerField()),
                ("process_start", models.BigIntegerField()),
                ("started_at", models.DateTimeField(db_default=Now())),
                ("seen_at", models.DateTimeField(db_default=Now())),
            ],
        ),
        migrations.CreateModel(
            name="Lane",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_schema", "plugin", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tenant_schema", models.CharField(max_length=63)),
                ("plugin", models.CharField(max_length=100)),
                ("next_at", models.DateTimeField(null=True)),
                ("seq", models.BigIntegerField(db_default=0)),
                ("fence", models.BigIntegerField(db_default=0)),
                ("owner", models.CharField(blank=True, db_default="", max_length=100)),
                ("leased_until", models.DateTimeField(null=True)),
                ("paused_until", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["next_at"], condition=models.Q(("next_at__isnull", False)), name="delivery_lane_due"
                    )
                ],
            },
        ),
    ]
