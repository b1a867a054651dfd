from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Now


class Migration(migrations.Migration):
    """Open disputes are asked about. Those that are open already are due at once, and so is one that the version before
    opens meanwhile: it knows no time, and the table gives it this one.
    """

    dependencies = [("payments", "0035_more_time")]

    operations = [
        migrations.AddField("dispute", "next_attempt_at", models.DateTimeField(blank=True, db_default=Now(), null=True)),
        migrations.AddField(
            "dispute", "attempts", models.PositiveIntegerField(db_default=0, default=0, verbose_name="attempts")
        ),
        migrations.AddField(
            "dispute",
            "error",
            models.CharField(blank=True, db_default="", default="", max_length=300, verbose_name="error"),
        ),
        migrations.AddConstraint(
            "dispute",
            models.CheckConstraint(
                condition=Q(closed_at__isnull=False) | Q(next_attempt_at__isnull=False),
                name="undecided_disputes_are_asked_about",
            ),
        ),
        migrations.AddIndex(
            "dispute",
            models.Index(fields=["next_attempt_at"], name="dispute_due", condition=Q(closed_at__isnull=True)),
        ),
    ]
