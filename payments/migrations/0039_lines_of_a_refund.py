from django.db import migrations, models


class Migration(migrations.Migration):
    """Which lines a refund is of. What was refunded by line before stays counted, whatever becomes of it."""

    dependencies = [("payments", "0038_fees_of_orphans")]

    operations = [migrations.AddField("refund", "goods", models.JSONField(editable=False, null=True))]
