"""Indexes for what the desk searches orders by. Built while everybody works on."""

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('orders', '0025_delivery_notes'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='order',
            index=models.Index(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('reference'), 'text_pattern_ops'), name='order_by_spelled_reference'),
        ),
        AddIndexConcurrently(
            model_name='order',
            index=models.Index(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('buyer_name'), 'text_pattern_ops'), name='order_by_buyer_name'),
        ),
        AddIndexConcurrently(
            model_name='order',
            index=models.Index(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('buyer_id'), 'text_pattern_ops'), name='order_by_buyer_id'),
        ),
    ]
