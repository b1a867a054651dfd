import django.db.models.deletion
from django.db import migrations, models

from friendpay.admin_kit import roles


class Migration(migrations.Migration):
    """Trust limits, where a request was asked for and what was unusual about it, and who reported."""

    dependencies = [
        ('orders', '0022_order_by_buyer'),
        ('payments', '0029_share_of_a_reminder'),
    ]

    operations = [
        migrations.CreateModel(
            name='TrustLimit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(choices=[('buyer', 'a buyer'), ('new_buyer', 'a buyer who is new'), ('network', 'a network'), ('shop', 'a shop that is not verified'), ('new_shop', 'a shop that is new')], max_length=20, verbose_name='for')),
                ('note', models.CharField(blank=True, help_text='For colleagues: why.', max_length=120, verbose_name='note')),
                ('open_count', models.PositiveIntegerField(blank=True, null=True, verbose_name='requests open at once')),
                ('hour_count', models.PositiveIntegerField(blank=True, null=True, verbose_name='requests within an hour')),
                ('day_count', models.PositiveIntegerField(blank=True, null=True, verbose_name='requests within a day')),
                ('currency', models.CharField(blank=True, max_length=3, verbose_name='currency')),
                ('open_sum', models.BigIntegerField(blank=True, null=True, verbose_name='sum open at once')),
                ('hour_sum', models.BigIntegerField(blank=True, null=True, verbose_name='sum within an hour')),
                ('day_sum', models.BigIntegerField(blank=True, null=True, verbose_name='sum within a day')),
                ('first_sum', models.BigIntegerField(blank=True, null=True, verbose_name='sum until a first request was paid')),
                ('cooling_hours', models.PositiveIntegerField(blank=True, null=True, verbose_name='new for so many hours')),
            ],
            options={
                'verbose_name': 'trust limit',
                'verbose_name_plural': 'trust limits',
                'ordering': ('merchant', 'id'),
            },
        ),
        migrations.AddField(
            model_name='paymentrequest',
            name='hint',
            field=models.CharField(blank=True, choices=[('large', 'far more than this buyer usually asks for'), ('new_shop', 'the shop is new'), ('first', "the buyer's first request at this shop")], max_length=20),
        ),
        migrations.AddField(
            model_name='paymentrequest',
            name='network',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='report',
            name='owner',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='stoppedbuyer',
            name='by',
            field=models.CharField(blank=True, max_length=80, verbose_name='stopped by'),
        ),
        migrations.AddIndex(
            model_name='paymentrequest',
            index=models.Index(condition=models.Q(('network', ''), _negated=True), fields=['network', '-id'], name='request_by_network'),
        ),
        migrations.AddIndex(
            model_name='report',
            index=models.Index(condition=models.Q(('settled_at', None)), fields=['merchant'], name='report_open_of_merchant'),
        ),
        migrations.AddField(
            model_name='trustlimit',
            name='merchant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='trust_limits', to='orders.merchant', verbose_name='shop'),
        ),
        migrations.AddConstraint(
            model_name='trustlimit',
            constraint=models.UniqueConstraint(fields=('merchant', 'subject'), name='trust_limit_once'),
        ),
        migrations.AddConstraint(
            model_name='trustlimit',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('currency', ''), _negated=True), models.Q(('day_sum', None), ('first_sum', None), ('hour_sum', None), ('open_sum', None)), _connector='OR'), name='trust_sums_have_currency'),
        ),
        migrations.RunPython(lambda _apps, _editor: roles.make(), migrations.RunPython.noop),
    ]
