import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """What shops say of how an order was delivered."""

    dependencies = [("orders", "0024_access_log")]

    operations = [
        migrations.CreateModel(
            name='DeliveryNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('carrier', models.CharField(blank=True, max_length=60, verbose_name='carrier')),
                ('tracking_number', models.CharField(blank=True, max_length=64, verbose_name='tracking number')),
                ('delivered_at', models.DateTimeField(blank=True, null=True, verbose_name='delivered')),
                ('note', models.CharField(blank=True, max_length=500, verbose_name='note')),
                ('told_at', models.DateTimeField()),
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='delivery_note', to='orders.order')),
            ],
            options={
                'verbose_name': 'delivery note',
                'verbose_name_plural': 'delivery notes',
                'default_permissions': (),
            },
        ),
    ]
