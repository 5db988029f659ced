from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("acme_sloppy", "0001_initial")]
    operations = [migrations.AddField("thing", "weight", models.IntegerField(default=0))]
