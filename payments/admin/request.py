"""The desk's page of payment requests: where each stands, how it got there, and ending one."""

from typing import Any

from django.contrib import admin
from django.db.models import DateTimeField, Q, QuerySet, Value
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit import filters
from friendpay.admin_kit.acts import DANGER, Act
from friendpay.admin_kit.cells import Panel, code, link, mode, moment, money
from friendpay.admin_kit.columns import ID, Column
from friendpay.kit import clock
from friendpay.kit.templatetags.money import amount
from friendpay.kit.templatetags.times import digits
from orders.models import Order
from payments.admin import case, case_acts, parts, search
from payments.admin.case import CasePage
from payments.models import PaymentRequest
from payments.settlement import lifecycle
from payments.share import codes


def _buyer(payment_request: Any) -> str:
    order = payment_request.order
    return f"{order.buyer_name} ({order.buyer_id})" if order.buyer_id else str(order.buyer_name)


def _time_left(payment_request: Any) -> str:
    if payment_request.status_at(payment_request.now) != PaymentRequest.Status.OPEN:
        return ""
    return digits(int((payment_request.expires_at - payment_request.now).total_seconds()))


def _split(payment_request: Any) -> str:
    if payment_request.split_max_payers is None:
        return gettext("one friend pays all of it")
    if named := payment_request.named:
        return " · ".join(f"{share.name} {money(share.amount, payment_request.currency)}" for share in named)
    least = money(payment_request.split_min_amount, payment_request.currency)
    return gettext("up to %(count)s friends, each at least %(least)s") % {
        "count": payment_request.split_max_payers,
        "least": least,
    }


@admin.register(PaymentRequest)
class PaymentRequestAdmin(CasePage):
    """Every row carries `now`, so that none is shown as open past its time."""

    of_shop = "merchant"
    list_display = (
        "reference",
        "status_badge",
        "buyer",
        "total_text",
        "paid_text",
        "time_left",
        "merchant",
        "mode",
        "created",
    )
    list_filter = ("status", filters.mode("order__live"), ("merchant", filters.ShopFilter))
    sortable_by = ("created",)
    search_fields = ("=public_id",)
    search_help_text = _("Order number, buyer's name or id, link, code or any reference")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("status_badge", "mode", "time_left"),
                    ("total_text", "paid_text", "held_text"),
                    ("order_link", "buyer", "shop"),
                    ("code_text", "shared", "split"),
                    "message",
                    ("created", "expires", "ended"),
                    ("id_text", "seq"),
                )
            },
        ),
    )

    columns = {
        "reference": Column(_("Order"), lambda row: str(row.order.reference), "order__reference"),
        "order_link": Column(_("Order"), lambda row: link(row.order)),
        "status_badge": Column(_("Status"), lambda row: parts.request_status(row, row.now), "status"),
        "mode": Column(_("Mode"), lambda row: mode(row.order.live)),
        "buyer": Column(_("Buyer"), _buyer, "order__buyer_name"),
        "shop": parts.SHOP,
        "total_text": Column(_("Amount"), lambda row: money(row.amount, row.currency), "amount"),
        "paid_text": Column(_("Paid"), lambda row: money(row.amount_paid, row.currency), "amount_paid"),
        "held_text": Column(_("On its way"), lambda row: money(row.amount_held, row.currency)),
        "time_left": Column(_("Time left"), _time_left, "expires_at"),
        "code_text": Column(_("Share code"), lambda row: code(codes.shown(row))),
        "shared": Column(
            _("Asked a friend"), lambda row: moment(row.shared_at) or gettext("no, the buyer pays herself")
        ),
        "split": Column(_("Paying together"), _split),
        "id_text": ID,
        "created": Column(_("Created"), lambda row: moment(row.created_at), "id"),
        "expires": Column(_("Time is over"), lambda row: moment(row.expires_at)),
        "ended": Column(_("Ended"), lambda row: moment(row.paid_at or row.closed_at)),
    }
    actions_detail = ("as_friend", "as_buyer")
    acts = {
        **case_acts.OF_REQUEST,
        "cancel": Act(
            label=_("Cancel the request"),
            rights=("payments.cancel_paymentrequest",),
            icon="block",
            colour=DANGER,
            again=True,
            when=lambda row: bool(row.status == PaymentRequest.Status.OPEN),
            title=_("Cancel the payment request for order %(order)s"),
            text=_(
                "Nobody can pay it any more. What friends have given so far goes back to them, and so does money that "
                "still comes. The buyer can ask again."
            ),
            button=_("Cancel the request"),
            do=lambda row, _data, by: lifecycle.cancel_request(row.pk, actor=by),
            done=_("The payment request for order %(order)s was cancelled."),
        ),
    }

    def find_all(self, request: HttpRequest, text: str) -> Q:
        return search.find(text, self.shops(request)).as_requests()

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentRequest]:
        rows = super().get_queryset(request).select_related("order__merchant", "merchant")
        return rows.annotate(now=Value(clock.now(), DateTimeField()))

    def panels(self, payment_request: PaymentRequest) -> list[Panel]:
        return [
            *case.panels(payment_request.order),
            *parts.reports_panels(payment_request.reports.all()),
        ]

    def facts(self, payment_request: PaymentRequest) -> dict[str, Any]:
        paid = amount(payment_request.amount_paid, payment_request.currency)
        return {"order": payment_request.order.reference, "paid": paid}

    def order_of(self, thing: PaymentRequest) -> Order:
        return thing.order

    def request_of(self, thing: PaymentRequest) -> PaymentRequest | None:
        return thing
