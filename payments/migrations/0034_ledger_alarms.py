"""Ledger alarms, for the desk's front page."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0033_searched_at_the_desk'),
    ]

    operations = [
        migrations.CreateModel(
            name='LedgerAlarm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(max_length=200)),
                ('object_id', models.CharField(max_length=40)),
                ('detail', models.CharField(max_length=300)),
                ('found_at', models.DateTimeField()),
            ],
            options={
                'ordering': ('found_at', 'id'),
                'constraints': [models.UniqueConstraint(fields=('rule', 'object_id'), name='ledger_alarm_once')],
            },
        ),
    ]
