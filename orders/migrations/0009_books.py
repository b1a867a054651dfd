from django.db import migrations, models


class Migration(migrations.Migration):
    """What the ledger check proves of an order, held by the database as well."""

    dependencies = [("orders", "0008_logo")]

    operations = [
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_paid", 0), ("status", "cancelled"))
                | models.Q(("status", "cancelled"), _negated=True),
                name="order_cancelled_keeps_nothing",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(("paid_elsewhere", False))
                | models.Q(("amount_paid", 0), ("status", "paid")),
                name="order_paid_once",
            ),
        ),
    ]
