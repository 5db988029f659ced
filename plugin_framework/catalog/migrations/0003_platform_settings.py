"""The platform's values of a plugin's settings, and which of them tenants may not change."""

from django.db import migrations, models


class Migration(migrations.Migration):
    rollout = "alone"  # older than the first release
    dependencies = [("catalog", "0002_revision_sequence")]

    operations = [
        migrations.AddField("catalogentry", "settings", models.JSONField(default=dict)),
        migrations.AddField("catalogentry", "locked", models.JSONField(default=list)),
    ]
