"""Makes the tables of the webhooks plugin."""

import django.db.models.deletion
import plugin_framework.sdk
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Endpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('plugin_name', models.CharField(default='webhooks', editable=False, max_length=100)),
                ('url', models.CharField(max_length=2000)),
                ('description', models.CharField(blank=True, default='', max_length=200)),
                ('every_event', models.BooleanField(default=True)),
                ('events', models.JSONField(blank=True, default=list)),
                ('active', models.BooleanField(default=True)),
                ('off_because', models.CharField(blank=True, default='', max_length=500)),
                ('secret', plugin_framework.sdk.SealedField(purpose='signing')),
                ('secret_unseen', models.BooleanField(default=True)),
                ('old_secret', plugin_framework.sdk.SealedField(blank=True, default='', purpose='signing')),
                ('old_until', models.DateTimeField(blank=True, null=True)),
                ('last_success_at', models.DateTimeField(blank=True, null=True)),
                ('last_failure_at', models.DateTimeField(blank=True, null=True)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('failing_since', models.DateTimeField(blank=True, null=True)),
                ('rest_until', models.DateTimeField(blank=True, null=True)),
                ('probe', models.CharField(blank=True, default='', max_length=100)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Attempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('message', models.CharField(max_length=100)),
                ('event', models.CharField(max_length=100)),
                ('number', models.PositiveIntegerField()),
                ('at', models.DateTimeField()),
                ('duration_ms', models.PositiveIntegerField()),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('error', models.CharField(blank=True, default='', max_length=500)),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='webhooks_plugin.endpoint')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['endpoint', 'message'], name='webhooks_of_message')],
            },
        ),
        migrations.CreateModel(
            name='Waiting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('message', models.CharField(max_length=100)),
                ('event', models.CharField(max_length=100)),
                ('body', models.TextField()),
                ('owed_by', models.CharField(blank=True, default='', max_length=100)),
                ('released', models.BooleanField(default=False)),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='waiting', to='webhooks_plugin.endpoint')),
            ],
            options={
                'verbose_name_plural': 'waiting',
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('endpoint', 'message'), name='webhooks_wait_once')],
            },
        ),
    ]
