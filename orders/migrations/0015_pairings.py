import django.db.models.deletion
import friendpay.kit.ids
import functools
from django.db import migrations, models


class Migration(migrations.Migration):
    """Pairings: a shop's program asks, a person consents, and the program redeems a code once."""

    dependencies = [
        ('orders', '0014_line_returns'),
    ]

    operations = [
        migrations.CreateModel(
            name='Pairing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=functools.partial(friendpay.kit.ids.public_id, *('pair',), **{}), editable=False, max_length=40, unique=True)),
                ('app', models.CharField(max_length=60)),
                ('site', models.CharField(max_length=200)),
                ('webhook_url', models.CharField(max_length=500)),
                ('event_types', models.JSONField(default=list)),
                ('origins', models.JSONField(default=list)),
                ('return_url', models.CharField(max_length=500)),
                ('live', models.BooleanField(default=False)),
                ('can_read', models.BooleanField(default=True)),
                ('can_write', models.BooleanField(default=True)),
                ('can_refund', models.BooleanField(default=False)),
                ('challenge', models.CharField(max_length=43)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('confirmed_by', models.CharField(blank=True, max_length=80)),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('code', models.CharField(blank=True, max_length=64)),
                ('redeemed_at', models.DateTimeField(blank=True, null=True)),
                ('merchant', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orders.merchant')),
            ],
            options={
                'verbose_name': 'pairing',
                'verbose_name_plural': 'pairings',
                'ordering': ('-id',),
                'default_permissions': (),
            },
        ),
    ]
