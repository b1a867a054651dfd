from django.db import migrations, models


class Migration(migrations.Migration):
    """Each shop's events are numbered by themselves. The numbers given so far stay: they grow within every shop."""

    dependencies = [("orders", "0022_order_by_buyer")]

    operations = [
        migrations.AlterField(
            "event",
            "sequence",
            models.BigIntegerField(blank=True, null=True, verbose_name="number as published"),
        ),
        migrations.AddConstraint(
            "event", models.UniqueConstraint(fields=["merchant", "sequence"], name="event_sequence_once")
        ),
        migrations.RemoveIndex("event", "event_unpublished"),
        migrations.AddIndex(
            "event",
            models.Index(
                fields=["merchant", "id"], name="event_unpublished", condition=models.Q(("sequence__isnull", True))
            ),
        ),
    ]
