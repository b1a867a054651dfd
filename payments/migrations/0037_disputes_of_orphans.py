"""An index for what was told of disputes. Built while everybody works on."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("payments", "0036_disputes_asked_about")]

    operations = [
        AddIndexConcurrently(
            "providerevent",
            models.Index(fields=["account"], name="notification_of_dispute", condition=Q(about="dispute")),
        ),
    ]
