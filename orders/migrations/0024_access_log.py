import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Who of staff looked at personal data; orders are found by day."""

    dependencies = [("orders", "0023_sequence_of_a_shop")]

    operations = [
        migrations.CreateModel(
            name='Access',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='time')),
                ('who', models.CharField(max_length=150, verbose_name='who')),
                ('kind', models.CharField(choices=[('page', 'page'), ('export', 'export'), ('evidence', 'evidence pack'), ('person', "a person's data exported"), ('erased', "a person's data erased")], max_length=10, verbose_name='what')),
                ('about', models.CharField(max_length=200, verbose_name='about')),
                ('reason', models.CharField(blank=True, max_length=200, verbose_name='reason')),
            ],
            options={
                'verbose_name': 'access to personal data',
                'verbose_name_plural': 'access to personal data',
                'ordering': ('-id',),
                'default_permissions': ('view',),
                'permissions': [('erase_person', "Can export and erase a person's data")],
            },
        ),
        migrations.AddIndex(
            model_name='order',
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['created_at'], name='order_by_time'),
        ),
        migrations.AddField(
            model_name='access',
            name='merchant',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orders.merchant', verbose_name='shop'),
        ),
        migrations.AddIndex(
            model_name='access',
            index=models.Index(fields=['at'], name='access_by_age'),
        ),
        migrations.AddIndex(
            model_name='access',
            index=models.Index(fields=['who', '-id'], name='access_by_who'),
        ),
    ]
