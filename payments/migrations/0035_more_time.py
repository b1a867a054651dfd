from django.db import migrations, models


class Migration(migrations.Migration):
    """How often a payer was given more time; unknown, and so never, for attempts that began before."""

    dependencies = [("payments", "0034_ledger_alarms")]

    operations = [migrations.AddField("payment", "extensions", models.PositiveSmallIntegerField(blank=True, null=True))]
