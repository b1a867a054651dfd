from django.db import migrations, models

# A row and the one it belongs to are of one shop, in one currency: a foreign key of all these columns says so.
_SAME = (
    ("payments_paymentrequest", "orders_order", "order_id", ("merchant_id", "currency")),
    ("payments_payment", "payments_paymentrequest", "request_id", ("merchant_id", "currency")),
    ("payments_payment", "payments_provideraccount", "account_id", ("merchant_id",)),
    ("payments_refund", "payments_payment", "payment_id", ("merchant_id", "account_id", "currency")),
)


def _alike(table, parent, key, columns):
    both, name = ", ".join(columns), f"{table}_as_its_{key.removesuffix('_id')}"
    return migrations.RunSQL(
        f"""
        ALTER TABLE {parent} ADD CONSTRAINT {parent}_and_{'_'.join(columns)} UNIQUE (id, {both});
        ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({key}, {both}) REFERENCES {parent} (id, {both});
        """,
        f"""
        ALTER TABLE {table} DROP CONSTRAINT {name};
        ALTER TABLE {parent} DROP CONSTRAINT {parent}_and_{'_'.join(columns)};
        """,
    )


class Migration(migrations.Migration):
    """What the ledger check proves of payments and refunds, held by the database as well."""

    dependencies = [("orders", "0009_books"), ("payments", "0013_put_away")]

    operations = [
        migrations.RunSQL(  # work nobody would have taken up again
            [
                "UPDATE payments_payment SET next_attempt_at = now()"
                " WHERE status IN ('created', 'pending') AND next_attempt_at IS NULL",
                "UPDATE payments_refund SET next_attempt_at = now()"
                " WHERE status IN ('requested', 'submitted') AND next_attempt_at IS NULL",
                "SET CONSTRAINTS ALL IMMEDIATE",
            ],
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["created", "pending"]), _negated=True)
                | models.Q(("next_attempt_at__isnull", False)),
                name="undecided_payments_are_asked_about",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["requested", "submitted"]), _negated=True)
                | models.Q(("next_attempt_at__isnull", False)),
                name="undecided_refunds_are_asked_about",
            ),
        ),
        *(_alike(*rule) for rule in _SAME),
    ]
