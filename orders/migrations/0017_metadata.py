from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models import Case, Q, When


class Migration(migrations.Migration):
    """Metadata of the shop's own; an order that is over unpaid frees its reference."""

    dependencies = [("orders", "0016_pictures")]

    operations = [
        migrations.AddField("order", "metadata", models.JSONField(blank=True, default=dict)),
        migrations.AddIndex(
            "order",
            GinIndex(
                condition=~Q(metadata={}), fields=["metadata"], name="order_by_metadata", opclasses=["jsonb_path_ops"]
            ),
        ),
        migrations.RemoveConstraint("order", "order_reference_once"),
        migrations.AddConstraint(
            "order",
            models.UniqueConstraint(
                "merchant",
                "live",
                "reference",
                Case(When(status__in=["cancelled", "expired"], then=None), default=True),
                name="order_reference_once",
            ),
        ),
    ]
