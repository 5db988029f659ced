"""What a lane's breaker knows: failures in a row, since when it is open, and whether somebody paused it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery", "0001_initial")]
    operations = [
        migrations.AddField("lane", "failures", models.IntegerField(db_default=0)),
        migrations.AddField("lane", "open_since", models.DateTimeField(null=True)),
        migrations.AddField("lane", "opened", models.IntegerField(db_default=0)),
        migrations.AddField("lane", "trouble", models.CharField(max_length=500, blank=True, db_default="")),
        migrations.AddField("lane", "paused_by", models.CharField(max_length=200, blank=True, db_default="")),
    ]
