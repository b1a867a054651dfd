from django.db import migrations, models


class Migration(migrations.Migration):
    """When the books were last checked, and what was found."""

    dependencies = [("payments", "0027_roles")]

    operations = [
        migrations.CreateModel(
            name="LedgerCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("findings", models.PositiveIntegerField()),
            ],
        ),
    ]
