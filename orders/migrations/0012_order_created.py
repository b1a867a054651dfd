from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0011_order_life")]

    operations = [
        migrations.AlterField("order", "created_at", models.DateTimeField(editable=False)),
    ]
