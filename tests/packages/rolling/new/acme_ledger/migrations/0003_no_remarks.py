from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("acme_ledger", "0002_amounts")]
    operations = [migrations.RemoveField("entry", "remark")]
