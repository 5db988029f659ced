from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("acme_board", "0001_initial")]
    operations = [
        migrations.AddField("note", "pinned", models.BooleanField(db_default=False)),
        migrations.CreateModel(
            "Pin",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=200)),
            ],
        ),
    ]
