"""The tables of requests, payments and refunds that stand on the pages of whatever they belong to."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from friendpay.admin_kit.cells import KINDS, Panel, badge, code, link, moment, money
from friendpay.admin_kit.columns import Column
from payments.models import Payment, PaymentRequest, Refund, Report
from payments.offers.weighing import LABELS

ACCOUNT: Column[Any] = Column(
    gettext_lazy("Provider account"), lambda row: link(row.account, row.account.name or row.account.provider)
)
SHOP: Column[Any] = Column(gettext_lazy("Shop"), lambda row: link(row.merchant))
OUR_REFERENCE: Column[Any] = Column(gettext_lazy("Our reference"), lambda row: code(row.reference))
WALLET_REFERENCE: Column[Any] = Column(gettext_lazy("The wallet's number"), lambda row: code(row.provider_ref))

SAID: Column[Any] = Column(
    gettext_lazy("What the wallet said"), lambda row: " ".join(filter(None, (row.code, row.words)))
)


def request_status(request: PaymentRequest, now: datetime) -> SafeString:
    """As pages show it: never open past its time."""
    status = PaymentRequest.Status(request.status_at(now))
    return badge(status.label, KINDS.get(status, ""))


def payment_status(payment: Payment) -> SafeString:
    kind = "warning" if payment.status == Payment.Status.FAILED else KINDS.get(payment.status, "")
    return badge(payment.get_status_display(), kind)


def refund_status(refund: Refund) -> SafeString:
    kind = "danger" if refund.status == Refund.Status.FAILED else KINDS.get(refund.status, "")
    return badge(refund.get_status_display(), kind)


def wallet(payment: Payment) -> str:
    """The way it is paid, as pages call it."""
    return str(LABELS.get(payment.method, payment.method))


def payer(payment: Payment) -> str:
    """Who pays, as far as we know."""
    name = payment.payer_name or _("no name")
    return _("%(name)s (the buyer)") % {"name": name} if payment.by_buyer else name


def numbered(payment: Payment) -> str:
    """Which of several attempts it is, for people: its number, who pays, and with what."""
    number = vars(payment).get("number")
    said = f"{payer(payment)} · {wallet(payment)}"
    return f"{number} · {said}" if number else said


def requests_panel(requests: Iterable[PaymentRequest], now: datetime) -> Panel:
    headers = (_("Payment request"), _("Status"), _("Amount"), _("Paid"), _("Created"), _("Ends"))
    rows = [
        (
            link(request),
            request_status(request, now),
            money(request.amount, request.currency),
            money(request.amount_paid, request.currency),
            moment(request.created_at),
            moment(request.expires_at),
        )
        for request in requests
    ]
    return Panel(_("Payment requests"), headers, rows)


def payments_panel(payments: Iterable[Payment], refunds: Iterable[Refund]) -> Panel:
    """Who paid what, and what of it went back."""
    back = defaultdict[int, list[Refund]](list)
    for refund in refunds:
        back[refund.payment_id].append(refund)
    headers = (
        _("Payment"),
        _("Status"),
        _("Asked"),
        _("Taken"),
        _("Counts"),
        _("Back"),
        _("With the bank"),
        _("Wallet's number"),
    )
    rows = [
        (
            link(payment, numbered(payment)),
            payment_status(payment),
            money(payment.amount, payment.currency),
            money(payment.amount_captured, payment.currency),
            money(payment.amount_applied, payment.currency),
            money(sum(it.amount for it in back.get(payment.pk, ()) if it.is_back), payment.currency),
            money(payment.amount_disputed, payment.currency),
            code(payment.provider_ref),
        )
        for payment in payments
    ]
    return Panel(_("Payments"), headers, rows)


def refunds_panel(refunds: Iterable[Refund]) -> Panel:
    """`refunds` know their payments, and these their requests."""
    headers = (
        _("Refund"),
        _("To"),
        _("Status"),
        _("Amount"),
        _("Why"),
        _("Asked for"),
        _("With the payer"),
    )
    rows = [
        (
            link(refund),
            numbered(refund.payment),
            refund_status(refund),
            money(refund.amount, refund.currency),
            refund.why,
            moment(refund.created_at),
            moment(refund.back_at),
        )
        for refund in refunds
    ]
    return Panel(_("Refunds"), headers, rows)


def reports_panels(reports: Iterable[Report]) -> list[Panel]:
    """What friends reported, where anybody did."""
    rows = [
        (link(report), report.get_outcome_display() or _("to decide"), report.words, moment(report.created_at))
        for report in reports
    ]
    headers = (_("Report"), _("State"), _("In their words"), _("Created"))
    return [Panel(_("Reports"), headers, rows)] if rows else []
