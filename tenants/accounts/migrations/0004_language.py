"""The language of the pages that somebody last saw: mails to them are in it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_steps_hidden")]

    operations = [
        migrations.AddField("user", "language", models.CharField(max_length=10, blank=True, db_default="", default=""))
    ]
