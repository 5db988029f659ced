from django.db import migrations, models

ID = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            "Note", [ID, ("text", models.CharField(max_length=200)), ("colour", models.CharField(db_default="yellow", max_length=20))]
        ),
        migrations.CreateModel(
            "Heard", [ID, ("text", models.CharField(max_length=200)), ("handler", models.CharField(max_length=50))]
        ),
    ]
