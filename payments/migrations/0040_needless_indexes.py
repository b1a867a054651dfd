"""Indexes that no query needs go, while everybody works on. The foreign keys stay, and say that they have none."""

from django.db import migrations, models

from friendpay.kit.postgresql.indexes import drop_needless


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("payments", "0039_lines_of_a_refund")]

    operations = [
        migrations.SeparateDatabaseAndState(
            [drop_needless("payments")],
            [
                migrations.AlterField(
                    "billday",
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.PROTECT,
                        related_name="bill_days",
                        to="payments.provideraccount",
                    ),
                ),
                migrations.AlterField(
                    "billmismatch",
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.PROTECT,
                        related_name="bill_mismatches",
                        to="payments.provideraccount",
                    ),
                ),
                migrations.AlterField(
                    "dispute",
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="disputes", to="payments.provideraccount"
                    ),
                ),
                migrations.AlterField(
                    "fee",
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="fees", to="payments.provideraccount"
                    ),
                ),
                migrations.AlterField(
                    "mail",
                    "to",
                    models.ForeignKey(
                        db_index=False, on_delete=models.CASCADE, related_name="mails", to="payments.mailaddress"
                    ),
                ),
                migrations.AlterField(
                    "payment",
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="payments", to="payments.provideraccount"
                    ),
                ),
                migrations.AlterField(
                    "payment",
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.PROTECT,
                        related_name="payments",
                        to="orders.merchant",
                        verbose_name="shop",
                    ),
                ),
                migrations.AlterField(
                    "paymentrequest",
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.PROTECT,
                        related_name="payment_requests",
                        to="orders.merchant",
                        verbose_name="shop",
                    ),
                ),
                migrations.AlterField(
                    "providerevent",
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="events", to="payments.provideraccount"
                    ),
                ),
                migrations.AlterField(
                    "refund",
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="refunds", to="payments.provideraccount"
                    ),
                ),
                migrations.AlterField(
                    "refund",
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.PROTECT,
                        related_name="refunds",
                        to="orders.merchant",
                        verbose_name="shop",
                    ),
                ),
                migrations.AlterField(
                    "report",
                    "request",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="reports", to="payments.paymentrequest"
                    ),
                ),
                migrations.AlterField(
                    "step",
                    "request",
                    models.ForeignKey(
                        db_index=False, on_delete=models.CASCADE, related_name="steps", to="payments.paymentrequest"
                    ),
                ),
                migrations.AlterField(
                    "stoppedbuyer",
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.PROTECT,
                        related_name="stopped_buyers",
                        to="orders.merchant",
                        verbose_name="shop",
                    ),
                ),
                migrations.AlterField(
                    "trustlimit",
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="trust_limits",
                        to="orders.merchant",
                        verbose_name="shop",
                    ),
                ),
            ],
        ),
    ]
