"""Indexes for what the desk searches and counts by. Built while everybody works on."""

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('orders', '0026_searched_at_the_desk'),
        ('payments', '0032_desk_cases'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='payment',
            index=models.Index(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('payer_name'), 'text_pattern_ops'), condition=models.Q(('payer_name', ''), _negated=True), name='payment_by_payer'),
        ),
        AddIndexConcurrently(
            model_name='paymentrequest',
            index=models.Index(condition=models.Q(('status', 'expired')), fields=['closed_at'], name='request_expired'),
        ),
        AddIndexConcurrently(
            model_name='refund',
            index=models.Index(fields=['account', 'provider_ref'], name='refund_by_provider_ref'),
        ),
    ]
