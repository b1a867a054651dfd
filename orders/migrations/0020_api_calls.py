"""The request log of API keys."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0019_legal_name'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(max_length=40, unique=True, verbose_name='id')),
                ('live', models.BooleanField(verbose_name='live')),
                ('at', models.DateTimeField(verbose_name='time')),
                ('method', models.CharField(max_length=10, verbose_name='method')),
                ('path', models.CharField(max_length=200, verbose_name='address')),
                ('query', models.JSONField(default=dict)),
                ('body', models.TextField(blank=True)),
                ('status', models.PositiveSmallIntegerField(verbose_name='status')),
                ('code', models.CharField(blank=True, max_length=40, verbose_name='code')),
                ('answer', models.TextField(blank=True)),
                ('milliseconds', models.PositiveIntegerField(verbose_name='milliseconds')),
                ('agent', models.CharField(blank=True, max_length=80)),
                ('key', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='calls', to='orders.apikey', verbose_name='API key')),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orders.merchant', verbose_name='shop')),
            ],
            options={
                'verbose_name': 'API call',
                'verbose_name_plural': 'API calls',
                'ordering': ('-id',),
                'indexes': [models.Index(fields=['key', '-id'], name='api_call_by_key'), models.Index(fields=['merchant', 'live', '-id'], name='api_call_by_shop'), models.Index(fields=['at'], name='api_call_by_age')],
            },
        ),
    ]
