"""Every delivery from before they are divided by month has a number below that of the next month: said in a way
PostgreSQL believes, so that 0028 need not look at each while nobody can write. Looking at them here stops nobody.
"""

from django.db import migrations

# Of the month that the numbers have come to: 0, but where 0028 was taken back after months of use.
_BOUND = "((SELECT last_value FROM orders_webhookdelivery_id_seq) >> 44) + 1 << 44"


def bound(table, key):
    name = f"{table}_bound"
    return migrations.RunSQL(
        [
            f"""DO $$ BEGIN EXECUTE format(
                'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name},
                ADD CONSTRAINT {name} CHECK ({key} IS NOT NULL AND {key} < %s) NOT VALID', {_BOUND}); END $$""",
            f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}",
        ],
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}",
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0026_searched_at_the_desk")]

    operations = [bound("orders_webhookdelivery", "id"), bound("orders_webhookattempt", "delivery_id")]
