from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """How much of a line was refunded."""

    dependencies = [("orders", "0013_true_orders")]

    operations = [
        migrations.AddField(
            "orderline", "quantity_returned", models.DecimalField(decimal_places=6, default=0, max_digits=13)
        ),
        migrations.AddConstraint(
            "orderline",
            models.CheckConstraint(
                condition=Q(quantity_returned__gte=0, quantity_returned__lte=F("quantity")),
                name="line_returned_within_quantity",
            ),
        ),
    ]
