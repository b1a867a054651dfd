from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Metadata of the shop's own."""

    dependencies = [("payments", "0022_merchant_reference")]

    operations = [
        migrations.AddField("paymentrequest", "metadata", models.JSONField(blank=True, default=dict)),
        migrations.AddIndex(
            "paymentrequest",
            GinIndex(
                condition=~Q(metadata={}), fields=["metadata"], name="request_by_metadata", opclasses=["jsonb_path_ops"]
            ),
        ),
    ]
