"""Makes the tables of the invoices plugin."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='NumberSeries',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('last', models.PositiveBigIntegerField(default=0)),
            ],
            options={
                'verbose_name_plural': 'number series',
            },
        ),
        migrations.CreateModel(
            name='Invoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('plugin_name', models.CharField(default='invoices', editable=False, max_length=100)),
                ('number', models.PositiveBigIntegerField(unique=True)),
                ('label', models.CharField(max_length=40)),
                ('order_number', models.BigIntegerField()),
                ('order_confirmed_at', models.DateTimeField()),
                ('customer_name', models.TextField()),
                ('customer_email', models.TextField(blank=True, default='')),
                ('currency', models.CharField(max_length=3)),
                ('total', models.DecimalField(decimal_places=2, max_digits=20)),
                ('tax', models.DecimalField(decimal_places=2, max_digits=20)),
                ('tax_rate', models.DecimalField(decimal_places=2, max_digits=5)),
                ('tax_name', models.CharField(max_length=40)),
                ('seller_name', models.CharField(max_length=200)),
                ('seller_address', models.TextField()),
                ('seller_tax_id', models.CharField(blank=True, default='', max_length=100)),
                ('footer', models.TextField(blank=True, default='')),
                ('issued_on', models.DateField()),
                ('due_on', models.DateField()),
                ('paid_on', models.DateField(blank=True, null=True)),
                ('paid_noted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-number'],
            },
        ),
        migrations.CreateModel(
            name='InvoiceLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('description', models.TextField()),
                ('quantity', models.PositiveBigIntegerField()),
                ('unit_price', models.DecimalField(decimal_places=2, max_digits=20)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=20)),
                ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='invoices_plugin.invoice')),
            ],
            options={
                'ordering': ['position'],
            },
        ),
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(condition=models.Q(('paid_on', None)), fields=['due_on'], name='invoices_unpaid'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(fields=('order_number', 'order_confirmed_at'), name='invoices_one_per_order'),
        ),
        migrations.AddConstraint(
            model_name='invoiceline',
            constraint=models.UniqueConstraint(fields=('invoice', 'position'), name='invoices_line_position'),
        ),
    ]
