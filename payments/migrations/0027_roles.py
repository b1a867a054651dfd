from django.db import migrations

from friendpay.admin_kit import roles


class Migration(migrations.Migration):
    """The groups of the desk's roles. Whoever changes a role's list adds a migration like this one."""

    dependencies = [
        ("payments", "0026_shares"),
        ("orders", "0021_memberships"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(lambda _apps, _editor: roles.make(), migrations.RunPython.noop)]
