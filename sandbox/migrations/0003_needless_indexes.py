"""Indexes that no query needs go, while everybody works on."""

from django.db import migrations

from friendpay.kit.postgresql.indexes import drop_needless


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("sandbox", "0002_simulated_outcomes")]

    operations = [
        drop_needless("sandbox"),
    ]
