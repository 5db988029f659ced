from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("acme_ledger", "0001_initial")]
    operations = [migrations.AddField("entry", "amount", models.IntegerField(db_default=1))]
