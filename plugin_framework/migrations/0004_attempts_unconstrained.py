"""Attempts are written together with their delivery, so a constraint checks nothing; their index is the unique one's beginning."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plugin_framework", "0003_deliveries_page")]
    operations = [
        migrations.AlterField(
            "deliveryattempt",
            "delivery",
            models.ForeignKey(
                to="plugin_framework.delivery",
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attempt_rows",
                db_constraint=False,
                db_index=False,
            ),
        )
    ]
