from django.db import migrations, models
from django.db.models import Q


def carry_over(apps, schema_editor):
    """What an account had by its kind, or was ticked, is granted by name; a sandbox never moved real money."""
    for account in apps.get_model("payments", "ProviderAccount").objects.all():
        granted = {"alipay": ["face_to_face"], "stripe": ["card"]}.get(account.provider, [])
        granted += ["h5"] if account.h5_granted and account.provider in ("wechatpay", "alipay") else []
        granted += ["page"] if account.page_granted and account.provider == "alipay" else []
        account.granted = granted
        if account.provider == "sandbox" and account.live:
            account.live = account.enabled = False
        account.save(update_fields=["granted", "live", "enabled"])


def carry_back(apps, schema_editor):
    for account in apps.get_model("payments", "ProviderAccount").objects.all():
        account.h5_granted, account.page_granted = "h5" in account.granted, "page" in account.granted
        account.save(update_fields=["h5_granted", "page_granted"])


class Migration(migrations.Migration):
    dependencies = [("payments", "0014_books")]

    operations = [
        migrations.AddField("provideraccount", "granted", models.JSONField(blank=True, default=list, verbose_name="granted")),
        migrations.RunPython(carry_over, carry_back),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RemoveField("provideraccount", "h5_granted"),
        migrations.RemoveField("provideraccount", "page_granted"),
        migrations.AddConstraint(
            "provideraccount",
            models.CheckConstraint(condition=~Q(provider="sandbox", live=True), name="sandbox_is_never_live"),
        ),
    ]
