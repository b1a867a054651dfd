import django.core.validators
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """How long an order may be asked for, and a shop's own time for a request."""

    dependencies = [("orders", "0010_endpoint_off")]

    operations = [
        migrations.AddField(
            model_name="merchant",
            name="request_minutes",
            field=models.PositiveIntegerField(
                default=1440,
                help_text="How long a friend may pay where neither the order nor the call says so: 1440 is a day.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(43200),
                ],
                verbose_name="life of a request, in minutes",
            ),
        ),
        migrations.AddField("order", "expires_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("order", "expired_at", models.DateTimeField(blank=True, null=True)),
        migrations.AlterField(
            model_name="order",
            name="status",
            field=models.CharField(
                choices=[
                    ("awaiting_payment", "awaiting payment"),
                    ("paid", "paid"),
                    ("cancelled", "cancelled"),
                    ("expired", "expired"),
                ],
                default="awaiting_payment",
                max_length=20,
                verbose_name="status",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                fields=["expires_at"],
                name="order_due",
                condition=Q(status="awaiting_payment", expires_at__isnull=False),
            ),
        ),
        migrations.AddConstraint(
            model_name="merchant",
            constraint=models.CheckConstraint(
                condition=Q(request_minutes__gte=1, request_minutes__lte=43200), name="merchant_request_life"
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=Q(status="expired", expired_at__isnull=False, expires_at__isnull=False, amount_paid=0)
                | (~Q(status="expired") & Q(expired_at__isnull=True)),
                name="order_expired_keeps_nothing",
            ),
        ),
    ]
