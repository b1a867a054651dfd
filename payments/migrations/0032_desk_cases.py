import functools

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import friendpay.kit.ids
from friendpay.admin_kit import roles


class Migration(migrations.Migration):
    """Who sees to a case, what waits for a second person, links that were replaced; roles with what these allow."""

    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("orders", "0021_memberships"),
        ("payments", "0031_movements"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Assignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("assigned_at", models.DateTimeField()),
            ],
            options={
                "ordering": ("id",),
                "permissions": [
                    ("work_case", "Can note something on a case, assign it, ask its wallets and send its mails again")
                ],
            },
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(
                        default=functools.partial(friendpay.kit.ids.public_id, "pp"),
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("thing_id", models.BigIntegerField()),
                ("act", models.CharField(max_length=40)),
                ("form", models.TextField()),
                ("what", models.CharField(max_length=300, verbose_name="what")),
                ("why", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField()),
                ("proposed_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("confirmed", "confirmed"), ("declined", "declined"), ("expired", "expired")],
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
            ],
            options={
                "verbose_name": "proposal",
                "verbose_name_plural": "proposals",
                "ordering": ("-id",),
                "permissions": [("decide_proposal", "Can confirm or decline what somebody else proposed")],
            },
        ),
        migrations.AddField(
            model_name="paymentrequest",
            name="is_replaced",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="providerevent",
            index=models.Index(fields=["account", "reference"], name="notification_by_reference"),
        ),
        migrations.AddField(
            model_name="assignment",
            name="merchant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="orders.merchant"
            ),
        ),
        migrations.AddField(
            model_name="assignment",
            name="order",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="assignment", to="orders.order"
            ),
        ),
        migrations.AddField(
            model_name="assignment",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="assignments", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="decided_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="kind",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="contenttypes.contenttype"
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="merchant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orders.merchant", verbose_name="shop"
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="order",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="orders.order"
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="proposed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddIndex(
            model_name="proposal",
            index=models.Index(
                condition=models.Q(("decided_at", None)), fields=["expires_at"], name="proposal_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("decided_at", None)), fields=("kind", "thing_id", "act"), name="proposed_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("decided_by", None), ("outcome", "")),
                    models.Q(
                        ("decided_at__isnull", False),
                        models.Q(("outcome", ""), _negated=True),
                        models.Q(
                            models.Q(("decided_by", None), ("outcome", "expired")),
                            models.Q(models.Q(("outcome", "expired"), _negated=True), ("decided_by__isnull", False)),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="proposal_decided_with_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", "confirmed"), _negated=True),
                    models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                    _connector="OR",
                ),
                name="proposal_needs_two",
            ),
        ),
        migrations.AlterModelOptions(
            name="providerevent",
            options={
                "ordering": ("-id",),
                "permissions": [
                    ("read_providerevent", "Can read what a wallet wrote, without secrets"),
                    ("retry_providerevent", "Can try a notification again"),
                    ("assign_providerevent", "Can book what an orphan tells of, send it back, or put it away"),
                ],
                "verbose_name": "notification",
                "verbose_name_plural": "notifications",
            },
        ),
        migrations.RunPython(lambda _apps, _editor: roles.make(), migrations.RunPython.noop),
    ]
