"""What reasons are called."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0023_metadata")]

    operations = [
        migrations.AlterField(
            model_name="refund",
            name="reason",
            field=models.CharField(
                choices=[
                    ("merchant", "by the shop"),
                    ("late", "came too late"),
                    ("duplicate", "someone else had already paid"),
                    ("surplus", "more than was needed"),
                    ("underfunded", "the full amount wasn't reached"),
                    ("mismatch", "not the amount that was asked for"),
                ],
                max_length=20,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            model_name="report",
            name="reason",
            field=models.CharField(
                choices=[
                    ("stranger", "I don't know who is asking"),
                    ("pressed", "I'm being pressured or threatened"),
                    ("goods", "The shop or the goods look suspicious"),
                    ("other", "Something else"),
                ],
                max_length=20,
                verbose_name="reason",
            ),
        ),
    ]
