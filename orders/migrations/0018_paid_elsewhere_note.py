from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """A note on being paid elsewhere."""

    dependencies = [("orders", "0017_metadata")]

    operations = [
        migrations.AddField("order", "paid_elsewhere_note", models.CharField(blank=True, default="", max_length=200)),
        migrations.AlterField("order", "paid_elsewhere_note", models.CharField(blank=True, max_length=200)),
        migrations.AddConstraint(
            "order",
            models.CheckConstraint(
                condition=Q(paid_elsewhere=True) | Q(paid_elsewhere_note=""), name="order_note_of_paid_elsewhere"
            ),
        ),
    ]
