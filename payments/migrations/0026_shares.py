from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Named shares of a request, and which of them a payment is for."""

    dependencies = [("payments", "0025_push_subscriptions")]

    operations = [
        migrations.AddField("paymentrequest", "shares", models.JSONField(blank=True, default=list)),
        migrations.AddField("payment", "share", models.PositiveSmallIntegerField(blank=True, null=True)),
        migrations.AddConstraint(
            "payment",
            models.UniqueConstraint(
                condition=Q(share__isnull=False, amount_applied__gt=0), fields=("request", "share"), name="share_paid_once"
            ),
        ),
    ]
