import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

PERMISSIONS = [
    ("see_all_shops", "Can see all shops, where others see those they work for"),
    ("verify_merchant", "Can verify a shop, and change what was checked"),
    ("freeze_merchant", "Can freeze a shop"),
]


def keep_what_staff_could_do(apps, schema_editor):
    """Who was of staff before there were memberships saw all shops; who could change a shop could verify and freeze it."""
    permission, user, group = (apps.get_model("auth", name) for name in ("Permission", "User", "Group"))
    shop, _made = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label="orders", model="merchant")
    rights = [
        permission.objects.get_or_create(content_type=shop, codename=codename, defaults={"name": name})[0]
        for codename, name in PERMISSIONS
    ]
    for person in user.objects.filter(is_staff=True, is_superuser=False):
        person.user_permissions.add(rights[0])
    change = permission.objects.filter(content_type=shop, codename="change_merchant")
    for person in user.objects.filter(user_permissions__in=change):
        person.user_permissions.add(*rights[1:])
    for shared in group.objects.filter(permissions__in=change):
        shared.permissions.add(*rights[1:])


class Migration(migrations.Migration):
    """Who works for which shop."""

    dependencies = [
        ("orders", "0020_api_calls"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            "merchant",
            options={
                "ordering": ("name",),
                "permissions": PERMISSIONS,
                "verbose_name": "shop",
                "verbose_name_plural": "shops",
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("added_at", models.DateTimeField(verbose_name="since")),
                ("added_by", models.CharField(max_length=80, verbose_name="added by")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                ("ended_by", models.CharField(blank=True, max_length=80, verbose_name="ended by")),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="orders.merchant",
                        verbose_name="shop",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="login",
                    ),
                ),
            ],
            options={
                "verbose_name": "person of a shop",
                "verbose_name_plural": "people of shops",
                "ordering": ("-id",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(ended_at=None), fields=("user", "merchant"), name="member_once"
                    )
                ],
            },
        ),
        migrations.RunPython(keep_what_staff_could_do, migrations.RunPython.noop),
    ]
