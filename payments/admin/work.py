"""The desk's front page, what needs somebody and a box that finds anything, and its menu."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from friendpay.admin_kit.base import mine
from friendpay.kit import clock
from payments import heartbeats
from payments.admin import inbox
from payments.admin.payment import undecided_for_long
from payments.models import BillMismatch, Dispute, Payment, ProviderAccount, ProviderEvent, Refund, Report


@dataclass(frozen=True)
class Work:
    """One kind of work: its rows, and the list that shows them."""

    title: "str | Promise"
    text: "str | Promise"
    permission: str
    rows: Callable[[], QuerySet[Any]]
    page: str
    filter: str

    @property
    def count(self) -> int:
        return self.rows().count()

    @property
    def url(self) -> str:
        return f"{reverse(f'admin:{self.page}_changelist')}?{self.filter}"


KINDS = (
    Work(
        gettext_lazy("Failed refunds"),
        gettext_lazy("A wallet refused them. The money is still owed to the payer."),
        "payments.view_refund",
        lambda: Refund.objects.filter(status=Refund.Status.FAILED),
        "payments_refund",
        "status__exact=failed",
    ),
    Work(
        gettext_lazy("Refunds that wait"),
        gettext_lazy("They wait for something at the shop's account, or no wallet has decided them for hours."),
        "payments.view_refund",
        lambda: Refund.objects.held_up(clock.now()),
        "payments_refund",
        "waiting=long",
    ),
    Work(
        gettext_lazy("Orphans"),
        gettext_lazy("A wallet speaks of a payment or a refund that we do not know."),
        "payments.view_providerevent",
        lambda: ProviderEvent.objects.filter(inbox.WHERE["orphan"]),
        "payments_providerevent",
        "state=orphan",
    ),
    Work(
        gettext_lazy("Set aside"),
        gettext_lazy("Notifications that could not be applied after several tries."),
        "payments.view_providerevent",
        lambda: ProviderEvent.objects.filter(inbox.WHERE["set_aside"]),
        "payments_providerevent",
        "state=set_aside",
    ),
    Work(
        gettext_lazy("Reports"),
        gettext_lazy("A friend who was asked to pay says that something is wrong."),
        "payments.view_report",
        lambda: Report.objects.open(),
        "payments_report",
        "open=yes",
    ),
    Work(
        gettext_lazy("Bill mismatches"),
        gettext_lazy("A wallet's daily bill and our books do not agree."),
        "payments.view_billmismatch",
        lambda: BillMismatch.objects.filter(settled_at=None),
        "payments_billmismatch",
        "open=yes",
    ),
    Work(
        gettext_lazy("Disputes"),
        gettext_lazy("A payer asks the bank for the money back. Answer in the wallet's own site, in time."),
        "payments.view_dispute",
        lambda: Dispute.objects.filter(closed_at=None),
        "payments_dispute",
        "open=yes",
    ),
    Work(
        gettext_lazy("Wallets that do not answer"),
        gettext_lazy("Nobody pays there now. They are tried every minute, and go on by themselves."),
        "payments.view_provideraccount",
        lambda: ProviderAccount.objects.exclude(paused_until=None),
        "payments_provideraccount",
        "paused=yes",
    ),
    Work(
        gettext_lazy("Undecided payments"),
        gettext_lazy("For more than an hour no wallet has said whether they were paid."),
        "payments.view_payment",
        lambda: Payment.objects.filter(undecided_for_long()),
        "payments_payment",
        "waiting=long",
    ),
)


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the front page shows to this user: never work that the user may not see."""
    seen = [work for work in KINDS if request.user.has_perm(work.permission)]
    context["work"] = [replace(work, rows=partial(mine, request, work.rows())) for work in seen]
    if late := heartbeats.late():
        text = _("Background work has stood still for over a minute (%(queues)s): start the scheduler and the workers.")
        messages.error(request, text % {"queues": ", ".join(late)})
    if request.user.has_perm("payments.view_paymentrequest"):
        context["search_url"] = reverse("admin:payments_paymentrequest_changelist")
    return context


def stylesheet(_request: HttpRequest) -> str:
    """The little that the desk looks otherwise than Unfold."""
    return static("desk.css")


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
