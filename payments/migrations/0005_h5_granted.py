from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0004_rollout"),
    ]

    operations = [
        migrations.AddField(
            model_name="provideraccount",
            name="h5_granted",
            field=models.BooleanField(
                default=False,
                help_text="Tencent allows the jump from a phone's browser (H5支付) after a review. "
                "Tick it once they have.",
                verbose_name="H5 is granted",
            ),
        ),
    ]
