"""The sequence that revisions come from: a number handed out in a transaction that was rolled back is never used again."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE public.catalog_revision_seq", "DROP SEQUENCE public.catalog_revision_seq"),
    ]
