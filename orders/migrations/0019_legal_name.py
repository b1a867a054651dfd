from django.db import migrations, models


class Migration(migrations.Migration):
    """Who a shop is: its legal name, its site, and the day it was checked."""

    dependencies = [("orders", "0018_paid_elsewhere_note")]

    operations = [
        migrations.AddField(
            "merchant",
            "legal_name",
            models.CharField(
                blank=True,
                default="",
                help_text="As it stands in the register; shown to payers.",
                max_length=160,
                verbose_name="legal name",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "merchant",
            "site",
            models.URLField(blank=True, default="", help_text="Shown to payers.", verbose_name="website"),
            preserve_default=False,
        ),
        migrations.AddField("merchant", "verified_on", models.DateField(blank=True, null=True, verbose_name="verified on")),
    ]
