from django.db import migrations, models


class Migration(migrations.Migration):
    """What a bill says the wallet kept for money that is not in our books yet."""

    dependencies = [("payments", "0037_disputes_of_orphans")]

    operations = [
        migrations.AddField("billmismatch", "fee", models.BigIntegerField(editable=False, null=True)),
        migrations.AddField(
            "billmismatch",
            "fee_currency",
            models.CharField(blank=True, db_default="", default="", editable=False, max_length=3),
        ),
    ]
