from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """What disputes hold or took of a payment's money. Those known so far are weighed: what refunds have left of it."""

    dependencies = [("payments", "0020_beats")]

    operations = [
        migrations.AddField(
            model_name="payment", name="amount_disputed", field=models.BigIntegerField(default=0)
        ),
        migrations.AddField(model_name="dispute", name="amount_taken", field=models.BigIntegerField(default=0)),
        migrations.AlterField(
            model_name="dispute",
            name="status",
            field=models.CharField(
                choices=[("inquiry", "inquiry"), ("open", "open"), ("won", "won"), ("lost", "lost")],
                default="open",
                max_length=10,
                verbose_name="status",
            ),
        ),
        migrations.RunSQL(
            [
                """
                UPDATE payments_dispute d SET amount_taken = least(
                    CASE WHEN d.currency = p.currency THEN d.amount ELSE p.amount_captured END,
                    p.amount_captured - (
                        SELECT coalesce(sum(amount), 0) FROM payments_refund
                        WHERE payment_id = p.id AND status <> 'withdrawn'
                    )
                )
                FROM payments_payment p WHERE p.id = d.payment_id AND d.status IN ('open', 'lost') AND d.id = (
                    SELECT min(id) FROM payments_dispute WHERE payment_id = p.id AND status IN ('open', 'lost')
                )
                """,
                """
                UPDATE payments_payment p SET amount_disputed = d.amount_taken
                FROM payments_dispute d WHERE d.payment_id = p.id AND d.amount_taken > 0
                """,
                "SET CONSTRAINTS ALL IMMEDIATE",
            ],
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=Q(amount_disputed__gte=0, amount_disputed__lte=F("amount_captured")),
                name="payment_disputed_within_captured",
            ),
        ),
        migrations.RemoveConstraint(model_name="dispute", name="dispute_closed_has_time"),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=Q(status__in=["inquiry", "open"], closed_at__isnull=True)
                | Q(status__in=["won", "lost"], closed_at__isnull=False),
                name="dispute_closed_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=Q(amount_taken=0) | Q(amount_taken__gt=0, status__in=["open", "lost"]),
                name="only_open_and_lost_disputes_take",
            ),
        ),
        migrations.RemoveIndex(model_name="dispute", name="dispute_open"),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["id"], name="dispute_open", condition=Q(closed_at__isnull=True)),
        ),
        migrations.RunSQL(  # a dispute is in the account of its payment
            """
            ALTER TABLE payments_payment ADD CONSTRAINT payments_payment_and_account_id UNIQUE (id, account_id);
            ALTER TABLE payments_dispute ADD CONSTRAINT payments_dispute_as_its_payment
                FOREIGN KEY (payment_id, account_id) REFERENCES payments_payment (id, account_id);
            """,
            """
            ALTER TABLE payments_dispute DROP CONSTRAINT payments_dispute_as_its_payment;
            ALTER TABLE payments_payment DROP CONSTRAINT payments_payment_and_account_id;
            """,
        ),
    ]
