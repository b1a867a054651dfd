import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

from friendpay.admin_kit import roles


class Migration(migrations.Migration):
    """The journal of what moves after money was captured, and what wallets keep. What is known of earlier times is
    entered: refunds that are back, what disputes have, and what ceased to count when its request ended. The roles get
    what is new.
    """

    dependencies = [("orders", "0024_access_log"), ("payments", "0030_trust")]

    operations = [
        migrations.CreateModel(
            name='Fee',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('about', models.CharField(max_length=10, verbose_name='about')),
                ('reference', models.CharField(max_length=200, verbose_name='our reference')),
                ('day', models.DateField(verbose_name='day')),
                ('currency', models.CharField(max_length=3)),
                ('amount', models.BigIntegerField()),
            ],
            options={
                'ordering': ('day', 'id'),
            },
        ),
        migrations.CreateModel(
            name='Movement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('refunded', 'refunded by the shop'), ('returned', 'returned, for it did not fit'), ('disputed', 'held or taken for a dispute'), ('unapplied', 'counts no more, for the request ended unpaid')], max_length=10, verbose_name='kind')),
                ('currency', models.CharField(max_length=3)),
                ('amount', models.BigIntegerField()),
                ('at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'books',
                'verbose_name_plural': 'books',
                'ordering': ('id',),
                'permissions': [('export_movement', 'Can export the books')],
                'default_permissions': ('view',),
            },
        ),
        migrations.AddIndex(
            model_name='payment',
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['created_at', 'succeeded_at'], name='payment_by_time'),
        ),
        migrations.AddIndex(
            model_name='paymentrequest',
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['created_at'], name='request_by_time'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['created_at', 'succeeded_at', 'closed_at'], name='refund_by_time'),
        ),
        migrations.AddField(
            model_name='fee',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fees', to='payments.provideraccount'),
        ),
        migrations.AddField(
            model_name='fee',
            name='payment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fees', to='payments.payment'),
        ),
        migrations.AddField(
            model_name='movement',
            name='dispute',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='payments.dispute'),
        ),
        migrations.AddField(
            model_name='movement',
            name='payment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='payments.payment'),
        ),
        migrations.AddField(
            model_name='movement',
            name='refund',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='payments.refund'),
        ),
        migrations.AddConstraint(
            model_name='fee',
            constraint=models.UniqueConstraint(fields=('account', 'day', 'about', 'reference'), name='fee_once'),
        ),
        migrations.AddConstraint(
            model_name='fee',
            constraint=models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='fee_is_one'),
        ),
        migrations.AddIndex(
            model_name='movement',
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['at'], name='movement_by_time'),
        ),
        migrations.AddConstraint(
            model_name='movement',
            constraint=models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='movement_moves'),
        ),
        migrations.AddConstraint(
            model_name='movement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('dispute__isnull', True), ('kind__in', ['refunded', 'returned']), ('refund__isnull', False)), models.Q(('dispute__isnull', False), ('kind', 'disputed'), ('refund__isnull', True)), models.Q(('amount__gt', 0), ('dispute__isnull', True), ('kind', 'unapplied'), ('refund__isnull', True)), _connector='OR'), name='movement_is_of_its_kind'),
        ),
        migrations.RunSQL(
            [
                """
                INSERT INTO payments_movement (payment_id, refund_id, kind, currency, amount, at)
                SELECT payment_id, id, CASE reason WHEN 'merchant' THEN 'refunded' ELSE 'returned' END, currency, amount,
                    coalesce(succeeded_at, closed_at)
                FROM payments_refund WHERE status IN ('succeeded', 'returned_elsewhere') ORDER BY id
                """,
                """
                INSERT INTO payments_movement (payment_id, dispute_id, kind, currency, amount, at)
                SELECT d.payment_id, d.id, 'disputed', p.currency, d.amount_taken, d.opened_at
                FROM payments_dispute d JOIN payments_payment p ON p.id = d.payment_id
                WHERE d.amount_taken > 0 ORDER BY d.id
                """,
                """
                INSERT INTO payments_movement (payment_id, kind, currency, amount, at)
                SELECT p.id, 'unapplied', p.currency, (e.data->>'amount_applied')::bigint, q.closed_at
                FROM payments_payment p
                JOIN payments_paymentrequest q ON q.id = p.request_id
                JOIN orders_event e ON e.request = q.public_id AND e.object_id = p.public_id
                WHERE e.type = 'payment.succeeded' AND q.closed_at IS NOT NULL AND p.amount_applied = 0
                    AND (e.data->>'amount_applied')::bigint > 0
                ORDER BY p.id
                """,
                "SET CONSTRAINTS ALL IMMEDIATE",
            ],
            migrations.RunSQL.noop,
        ),
        migrations.RunPython(lambda _apps, _editor: roles.make(), migrations.RunPython.noop),
    ]
