"""Indexes that no query needs go, while everybody works on. The foreign keys stay, and say that they have none."""

from django.db import migrations, models

from friendpay.kit.postgresql.indexes import drop_needless


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0028_deliveries_by_month")]

    operations = [
        migrations.SeparateDatabaseAndState(
            [drop_needless("orders")],
            [
                migrations.AlterField(
                    "apicall",
                    "key",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="calls",
                        to="orders.apikey",
                        verbose_name="API key",
                    ),
                ),
                migrations.AlterField(
                    "apicall",
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.CASCADE,
                        related_name="+",
                        to="orders.merchant",
                        verbose_name="shop",
                    ),
                ),
                migrations.AlterField(
                    "event",
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.PROTECT,
                        related_name="events",
                        to="orders.merchant",
                        verbose_name="shop",
                    ),
                ),
                migrations.AlterField(
                    "order",
                    "merchant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.PROTECT,
                        related_name="orders",
                        to="orders.merchant",
                        verbose_name="shop",
                    ),
                ),
                migrations.AlterField(
                    "picture",
                    "merchant",
                    models.ForeignKey(
                        db_index=False, on_delete=models.CASCADE, related_name="pictures", to="orders.merchant"
                    ),
                ),
                migrations.AlterField(
                    "storedanswer",
                    "merchant",
                    models.ForeignKey(db_index=False, on_delete=models.CASCADE, related_name="+", to="orders.merchant"),
                ),
                migrations.AlterField(
                    "webhookdelivery",
                    "endpoint",
                    models.ForeignKey(
                        db_index=False, on_delete=models.PROTECT, related_name="deliveries", to="orders.webhookendpoint"
                    ),
                ),
            ],
        ),
    ]
