"""What an admin has chosen for their own eyes: whether the first steps of a new organisation are shown."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_devices")]

    operations = [migrations.AddField("user", "steps_hidden", models.BooleanField(db_default=False))]
