from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("acme_board", "0002_pins")]
    operations = [migrations.RemoveField("note", "colour")]
