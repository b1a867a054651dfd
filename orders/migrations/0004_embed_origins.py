from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0003_api'),
    ]

    operations = [
        migrations.AddField(
            model_name='merchant',
            name='embed_origins',
            field=models.JSONField(blank=True, default=list, help_text="Whose pages may show the buyer's request in place, each as scheme and host: https://shop.example.", verbose_name='embed origins'),
        ),
    ]
