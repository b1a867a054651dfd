"""The roles of the desk: groups of Django's, each with exactly the permissions that its list names.

A migration calls `make` after every change of a list. Groups of other names are an operator's own: nothing touches
them.
"""

from itertools import chain

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission

ALL_SHOPS = "orders.see_all_shops"

_READ = (
    "orders.view_event",
    "orders.view_membership",
    "orders.view_merchant",
    "orders.view_order",
    "orders.view_webhookdelivery",
    "orders.view_webhookendpoint",
    "payments.view_payment",
    "payments.view_paymentrequest",
    "payments.view_provideraccount",
    "payments.view_providerevent",
    "payments.view_refund",
    "payments.view_rolloutrule",
    "payments.view_step",
    "payments.view_trustlimit",
)
"""What a shop's own people may read too, each of their own shop."""

_WATCH = (
    ALL_SHOPS,
    "payments.view_billmismatch",
    "payments.view_dispute",
    "payments.view_report",
    "payments.view_stoppedbuyer",
)

_SUPPORT = (
    "orders.redeliver_webhookdelivery",
    "payments.add_paymentrequest",
    "payments.cancel_paymentrequest",
    "payments.change_paymentrequest",
    "payments.change_report",
    "payments.read_providerevent",
    "payments.retry_providerevent",
    "payments.view_proposal",
    "payments.work_case",
)

_TRUST = ("payments.add_trustlimit", "payments.change_trustlimit", "payments.delete_trustlimit")

_SENIOR = (
    "orders.change_webhookendpoint",
    "orders.freeze_merchant",
    "orders.erase_person",
    "payments.add_stoppedbuyer",
    "payments.decide_proposal",
    "payments.delete_stoppedbuyer",
    "payments.refund_payment",
    "payments.resend_refund",
    *_TRUST,
)

SUPPORT, SENIOR, FINANCE = "Support agent", "Senior support", "Finance"
DEVELOPER, AUDITOR = "Merchant developer", "Read-only auditor"

ROLES: dict[str, tuple[str, ...]] = {
    SUPPORT: (*_READ, *_WATCH, *_SUPPORT),
    SENIOR: (*_READ, *_WATCH, *_SUPPORT, *_SENIOR),
    FINANCE: (
        *_READ,
        *_WATCH,
        "payments.assign_providerevent",
        "payments.change_billmismatch",
        "payments.decide_proposal",
        "payments.export_movement",
        "payments.read_providerevent",
        "payments.refund_payment",
        "payments.resend_refund",
        "payments.settle_refund",
        "payments.view_movement",
        "payments.view_proposal",
        "payments.withdraw_refund",
        "payments.work_case",
    ),
    DEVELOPER: (
        *_READ,
        "orders.add_apikey",
        "orders.add_webhookendpoint",
        "orders.change_apikey",
        "orders.change_merchant",
        "orders.change_webhookendpoint",
        "orders.delete_webhookendpoint",
        "orders.redeliver_webhookdelivery",
        "orders.view_apicall",
        "orders.view_apikey",
        "payments.add_provideraccount",
        "payments.add_rolloutrule",
        "payments.change_provideraccount",
        "payments.change_rolloutrule",
        "payments.delete_rolloutrule",
        *_TRUST,
        "payments.export_movement",
        "payments.view_movement",
    ),
    AUDITOR: (
        *_READ,
        *_WATCH,
        "orders.view_access",
        "orders.view_apicall",
        "orders.view_apikey",
        "payments.view_movement",
    ),
}


def make() -> None:
    """Each role is a group that holds what its list names and nothing else. A repeat changes nothing."""
    named = set(chain.from_iterable(ROLES.values()))
    for app in {name.partition(".")[0] for name in named}:
        create_permissions(apps.get_app_config(app), verbosity=0)  # Django's own makes them after all migrations
    known = {
        f"{app}.{codename}": pk
        for pk, app, codename in Permission.objects.values_list("pk", "content_type__app_label", "codename")
    }
    for role, names in ROLES.items():
        group, _made = Group.objects.get_or_create(name=role)
        group.permissions.set([known[name] for name in names])
