from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

WELL_FORMED = (
    "jsonb_typeof(adjustments) = 'array' AND NOT (adjustments @? '$[*] ? (!("
    '@.name.type() == "string" && @.amount.type() == "number" && @.amount.floor() == @.amount && ('
    '@.kind == "shipping" && @.amount >= 0 || @.kind == "tax" && @.amount >= 0 || '
    '@.kind == "discount" && @.amount <= 0 || @.kind == "fee" && @.amount >= 0 || '
    '@.kind == "credit" && @.amount <= 0 || @.kind == "rounding")'
    ' && (@.included == false || @.included == true && @.kind == "tax")'
    "))')"
)


class Migration(migrations.Migration):
    """Decimal quantities, lines with an amount of their own, and adjustments."""

    dependencies = [("orders", "0012_order_created")]

    operations = [
        migrations.AddField("order", "adjustments", models.JSONField(blank=True, default=list)),
        migrations.AlterField("orderline", "quantity", models.DecimalField(decimal_places=6, max_digits=13)),
        migrations.AddField("orderline", "unit", models.CharField(blank=True, default="", max_length=16)),
        migrations.AddField("orderline", "amount", models.BigIntegerField(null=True)),
        # At once, as what waits for the commit would keep the table from being altered further.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL("UPDATE orders_orderline SET amount = quantity * unit_amount", migrations.RunSQL.noop),
        migrations.AlterField("orderline", "unit_amount", models.BigIntegerField(blank=True, null=True)),
        migrations.AlterField("orderline", "amount", models.BigIntegerField()),
        migrations.AlterField("orderline", "unit", models.CharField(blank=True, max_length=16)),
        migrations.RemoveConstraint("orderline", "line_amount_not_negative"),
        migrations.AddConstraint(
            "orderline", models.CheckConstraint(condition=Q(amount__gte=0), name="line_amount_not_negative")
        ),
        migrations.AddConstraint(
            "orderline",
            models.CheckConstraint(
                condition=Q(unit_amount__isnull=True) | Q(amount=F("quantity") * F("unit_amount")),
                name="line_amount_is_of_its_units",
            ),
        ),
        migrations.AddConstraint(
            "order",
            models.CheckConstraint(
                condition=RawSQL(WELL_FORMED, (), output_field=models.BooleanField()),
                name="order_adjustments_well_formed",
            ),
        ),
    ]
