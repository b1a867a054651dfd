from django.db import migrations, models


class Migration(migrations.Migration):
    """A shop switches its webhook endpoints off itself."""

    dependencies = [("orders", "0009_books")]

    operations = [
        migrations.AlterField(
            model_name="webhookendpoint",
            name="disabled_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("gone", "it answered that it is gone"),
                    ("failing", "it failed for days"),
                    ("support", "switched off by support"),
                    ("shop", "switched off by the shop"),
                    ("deleted", "deleted by the shop"),
                ],
                max_length=10,
            ),
        ),
    ]
