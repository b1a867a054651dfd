from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0024_words_of_reasons")]

    operations = [
        migrations.AddField(
            model_name="mailaddress",
            name="subscription",
            field=models.JSONField(null=True),
        ),
    ]
