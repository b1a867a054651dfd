"""What becomes of a charge can be simulated."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sandbox", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="charge",
            name="simulated",
            field=models.CharField(
                blank=True,
                choices=[
                    ("paid", "Paid"),
                    ("refused", "Refused"),
                    ("untold", "Untold"),
                    ("disputed", "Disputed"),
                    ("dispute_won", "Dispute Won"),
                    ("dispute_lost", "Dispute Lost"),
                    ("refund_refused", "Refund Refused"),
                    ("refund_slow", "Refund Slow"),
                    ("refunded_by_hand", "Refunded By Hand"),
                ],
                default="",
                max_length=20,
            ),
            preserve_default=False,
        ),
    ]
