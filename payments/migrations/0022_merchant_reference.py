from django.db import migrations, models


class Migration(migrations.Migration):
    """A refund may bear a reference of the shop's own, and is listed by shop and found by it."""

    dependencies = [("payments", "0021_disputed")]

    operations = [
        migrations.AddField(
            model_name="refund",
            name="merchant_reference",
            field=models.CharField(blank=True, db_default="", default="", max_length=64, verbose_name="shop's reference"),
        ),
        migrations.AddIndex(
            model_name="refund", index=models.Index(fields=["merchant", "-id"], name="refund_by_merchant")
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("merchant_reference", ""), _negated=True),
                fields=["merchant", "merchant_reference"],
                name="refund_by_merchant_reference",
            ),
        ),
    ]
