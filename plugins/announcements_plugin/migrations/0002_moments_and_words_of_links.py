"""Lets announcements begin and end at moments instead of on days, and gives their links words of their own."""

from datetime import UTC, datetime, timedelta

import django.db.models.functions.datetime
from django.db import migrations, models

from plugin_framework.sdk import Banner

NEVER = datetime(2099, 12, 31, tzinfo=UTC)  # the form takes no later day, and the years after 9999 fit into no datetime
WORDS = "Read more"  # what every link was called


def keep_what_was_meant(apps, schema_editor):
    """The last day was shown whole; where a banner may not lead to, the address is still to be read."""
    announcements = apps.get_model("announcements_plugin", "Announcement").objects
    announcements.filter(ends_at__gte=NEVER).update(ends_at=None)
    announcements.filter(ends_at__isnull=False).update(ends_at=models.F("ends_at") + timedelta(days=1))
    announcements.exclude(link_url="").update(link_label=WORDS)
    for announcement in announcements.exclude(link_url=""):
        try:
            Banner("link", "", link_url=announcement.link_url, link_label=WORDS)
        except ValueError:
            text = f"{announcement.text}\n{announcement.link_url}".strip()
            announcements.filter(pk=announcement.pk).update(text=text, link_url="", link_label="")
    schema_editor.connection.check_constraints()  # now, or the next ALTER may meet "pending trigger events"


class Migration(migrations.Migration):
    rollout = "alone"  # older than the first release

    dependencies = [
        ("announcements_plugin", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint("announcement", "announcements_end_after_they_begin"),
        migrations.RenameField("announcement", "first_day", "starts_at"),
        migrations.RenameField("announcement", "last_day", "ends_at"),
        migrations.RenameField("announcement", "active", "is_active"),
        migrations.RenameField("announcement", "link", "link_url"),
        migrations.AlterField("announcement", "starts_at", models.DateTimeField(blank=True, null=True)),
        migrations.AlterField("announcement", "ends_at", models.DateTimeField(blank=True, null=True)),
        migrations.AlterField("announcement", "link_url", models.CharField(blank=True, default="", max_length=500)),
        migrations.AddField("announcement", "link_label", models.CharField(blank=True, default="", max_length=60)),
        migrations.AddField("announcement", "revision", models.PositiveIntegerField(default=1)),
        migrations.AlterField(
            "announcement",
            "level",
            models.CharField(
                choices=[
                    ("info", "Information"),
                    ("success", "Good news"),
                    ("warning", "Warning"),
                    ("error", "Something is broken"),
                ],
                default="info",
                max_length=10,
            ),
        ),
        migrations.RunPython(keep_what_was_meant),
        migrations.AddConstraint(
            "announcement",
            models.CheckConstraint(
                condition=models.Q(("starts_at", None), ("ends_at", None), ("ends_at__gt", models.F("starts_at")), _connector="OR"),
                name="announcements_end_after_their_start",
            ),
        ),
        migrations.AddConstraint(
            "announcement",
            models.CheckConstraint(
                condition=models.Q(("level__in", ["info", "success", "warning", "error"])),
                name="announcements_levels_are_known",
            ),
        ),
        migrations.RemoveConstraint("dismissal", "announcements_put_away_once"),
        migrations.RenameField("dismissal", "person", "user"),
        migrations.AddField(
            "dismissal", "dismissed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())
        ),
        migrations.AddConstraint(
            "dismissal",
            models.UniqueConstraint(fields=("announcement", "user"), name="announcements_dismissed_once"),
        ),
    ]
