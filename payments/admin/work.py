"""The desk's front page, what needs somebody and how today goes, and its menu."""

from dataclasses import replace
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from friendpay.admin_kit.base import mine
from orders import scope
from payments import heartbeats
from payments.admin import case_acts, figures, plots
from payments.admin.kinds import KINDS, alarm_lines, assigned


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the front page shows to this user: never work that the user may not see."""
    seen = [work for work in KINDS if request.user.has_perm(work.permission)]
    context["work"] = kinds = [replace(work, rows=partial(mine, request, work.rows())) for work in seen]
    watches = scope.shops_of(request.user) is None and request.user.has_perm("payments.view_payment")
    alarms = list(alarm_lines()) if watches else []
    lines = sorted((line for work in kinds for line in work.lines()), key=lambda line: line.since)
    own = assigned(scope.only_mine(request.user, case_acts.mine(request.user)))
    context["lines"] = [*alarms, *own, *lines]
    context["waiting"] = len(alarms) + len(own) + sum(work.count for work in kinds)
    if request.user.has_perm("payments.view_payment"):
        context["figures"] = plots.of(figures.today(request))
    if late := heartbeats.late():
        text = _("Background work has stood still for over a minute (%(queues)s): start the scheduler and the workers.")
        messages.error(request, text % {"queues": ", ".join(late)})
    return context


def stylesheet(_request: HttpRequest) -> str:
    """The little that the desk looks otherwise than Unfold."""
    return static("desk.css")


def script(_request: HttpRequest) -> str:
    """The little that it does otherwise."""
    return static("desk.js")


def icon(_request: HttpRequest) -> str:
    """The picture in the browser's tab."""
    return static("icon.svg")


def environment(_request: HttpRequest) -> list[str] | None:
    """A label in the header, so that nobody takes the demo for the real thing."""
    return [_("Demo"), "warning"] if settings.DEMO else None


def _entry(title: "str | Promise", icon: str, model: str) -> dict[str, Any]:
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{name}"),
    }


def menu(_request: HttpRequest) -> list[dict[str, Any]]:
    """The side bar."""
    front = {"title": gettext_lazy("What needs work"), "icon": "inbox", "link": reverse_lazy("admin:index")}
    return [
        {
            "items": [
                front,
                _entry(gettext_lazy("Orders"), "shopping_bag", "orders.order"),
                _entry(gettext_lazy("Payment requests"), "volunteer_activism", "payments.paymentrequest"),
                _entry(gettext_lazy("Payments"), "payments", "payments.payment"),
                _entry(gettext_lazy("Refunds"), "undo", "payments.refund"),
                _entry(gettext_lazy("Notifications"), "notifications", "payments.providerevent"),
                _entry(gettext_lazy("Reports"), "flag", "payments.report"),
                _entry(gettext_lazy("Disputes"), "gavel", "payments.dispute"),
                _entry(gettext_lazy("Waits for a second person"), "how_to_reg", "payments.proposal"),
                _entry(gettext_lazy("Bill mismatches"), "difference", "payments.billmismatch"),
                _entry(gettext_lazy("Books"), "account_balance", "payments.movement"),
                _entry(gettext_lazy("Friction meter"), "speed", "payments.step"),
                _entry(gettext_lazy("Events"), "history", "orders.event"),
                _entry(gettext_lazy("Webhook deliveries"), "webhook", "orders.webhookdelivery"),
            ]
        },
        {
            "title": gettext_lazy("Settings"),
            "separator": True,
            "items": [
                _entry(gettext_lazy("Shops"), "storefront", "orders.merchant"),
                _entry(gettext_lazy("Provider accounts"), "account_balance_wallet", "payments.provideraccount"),
                _entry(gettext_lazy("Rollout rules"), "rule", "payments.rolloutrule"),
                _entry(gettext_lazy("Trust limits"), "shield_person", "payments.trustlimit"),
                _entry(gettext_lazy("Stopped buyers"), "person_off", "payments.stoppedbuyer"),
                _entry(gettext_lazy("Webhook endpoints"), "notifications_active", "orders.webhookendpoint"),
                _entry(gettext_lazy("Access to personal data"), "visibility", "orders.access"),
                _entry(gettext_lazy("Staff"), "badge", "auth.user"),
                _entry(gettext_lazy("Groups"), "group", "auth.group"),
            ],
        },
    ]
