"""Which migrations need not wait for the end of a deploy any more. All that there are, where this table was made later than they."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0005_quotas")]
    operations = [
        migrations.CreateModel(
            name="FinishedMigration",
            fields=[
                ("pk", models.CompositePrimaryKey("app", "name", blank=True, editable=False, primary_key=True, serialize=False)),
                ("app", models.CharField(max_length=255)),
                ("name", models.CharField(max_length=255)),
            ],
        ),
    ]
