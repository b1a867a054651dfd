"""The desk's one search box, on each of its pages: one hit opens at once, several are listed with what differs."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _

from friendpay.admin_kit.base import mine
from friendpay.admin_kit.cells import Cell, Panel, address, link, mode, moment, money
from friendpay.kit import clock, desk_limits
from orders import scope
from orders.admin.order import status as order_status
from orders.models import Event, Merchant, Order, WebhookDelivery, WebhookEndpoint
from payments.admin import parts, search
from payments.models import Dispute, Payment, PaymentRequest, ProviderAccount, Refund

OTHERS: dict[str, type[Model]] = {
    "acc": ProviderAccount,
    "dp": Dispute,
    "evt": Event,
    "mer": Merchant,
    "pay": Payment,
    "wd": WebhookDelivery,
    "we": WebhookEndpoint,
}
"""What else is named by its id alone."""

Cells = tuple[Cell, ...]
_ID = re.compile(rf"\s*({'|'.join(OTHERS)})_([0-9A-Za-z]{{20,36}})\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Hit:
    """A thing found, and what tells it from others: worked out for those alone that are shown."""

    thing: Model
    cells: Callable[[], Cells]


def page(request: HttpRequest) -> HttpResponse:
    """What a text names. One hit opens at once; nobody finds what they may not see."""
    if not request.user.has_perm("payments.view_paymentrequest") and not request.user.has_perm("orders.view_order"):
        raise PermissionDenied
    text = request.GET.get("q", "").strip()
    if thing := _by_id(request, text):
        return HttpResponseRedirect(address(thing))
    hits = list(hits_for(request, search.find(text, scope.shops_of(request.user)))) if text else []
    if len(hits) == 1:
        return HttpResponseRedirect(address(hits[0].thing))
    context = {**admin.site.each_context(request), "title": _("Search"), "searched": text, "found": len(hits)}
    if hits:
        headers = (_("Order"), _("Status"), _("Buyer"), _("Amount"), _("Paid by"), _("Shop"), _("Mode"), _("Created"))
        shown = hits[: desk_limits.HITS_SHOWN]
        context |= {"panels": [Panel("", headers, [hit.cells() for hit in shown])], "more": len(hits) > len(shown)}
    return TemplateResponse(request, "payments/admin/finding.html", context)


def hits_for(request: HttpRequest, found: search.Found) -> Iterable[Hit]:
    """Requests; of an order, its newest one, or itself where it has none; refunds. Newest first."""
    if request.user.has_perm("payments.view_refund"):
        refunds = mine(request, Refund.objects.filter(pk__in=found.refunds)).select_related(
            "payment__request__order", "merchant"
        )
        yield from (Hit(row, partial(_refund, row)) for row in refunds.order_by("-pk"))
    asked: dict[int, int] = {}
    if request.user.has_perm("payments.view_paymentrequest"):
        rows = mine(request, PaymentRequest.objects.filter(order__in=found.orders)).order_by("pk")
        asked = dict(rows.values_list("order", "pk"))
        named = {*found.requests, *Payment.objects.filter(pk__in=found.payments).values_list("request", flat=True)}
        rows = mine(request, PaymentRequest.objects.filter(pk__in={*named, *asked.values()}))
        rows = rows.select_related("order", "merchant").prefetch_related("payments").order_by("-pk")
        now = clock.now()
        yield from (Hit(row, partial(_request, row, now)) for row in rows[: desk_limits.SEARCH_ROWS])
    if request.user.has_perm("orders.view_order"):
        bare = mine(request, Order.objects.filter(pk__in=set(found.orders) - set(asked)))
        yield from (Hit(row, partial(_order, row)) for row in bare.select_related("merchant").order_by("-pk"))


def _by_id(request: HttpRequest, text: str) -> Model | None:
    """What an id names, capitals or not before its "_"."""
    if not (found := _ID.fullmatch(text)):
        return None
    model = OTHERS[found[1].lower()]
    rows = model._default_manager.filter(public_id=f"{found[1].lower()}_{found[2]}")
    return mine(request, rows).first() if admin.site.get_model_admin(model).has_view_permission(request) else None


def _request(request: PaymentRequest, now: Any) -> Cells:
    paid = [payment for payment in request.payments.all() if payment.amount_captured]
    order = request.order
    return (
        link(request, order.reference),
        parts.request_status(request, now),
        order.buyer_name,
        money(request.amount, request.currency),
        ", ".join(f"{parts.payer(payment)} · {parts.wallet(payment)}" for payment in paid),
        request.merchant.name,
        mode(order.live),
        moment(request.created_at),
    )


def _order(order: Order) -> Cells:
    return (
        link(order, order.reference),
        order_status(order),
        order.buyer_name,
        money(order.amount, order.currency),
        _("no friend was asked yet"),
        order.merchant.name,
        mode(order.live),
        moment(order.created_at),
    )


def _refund(refund: Refund) -> Cells:
    order = refund.payment.request.order
    return (
        link(refund, _("Refund of %(order)s") % {"order": order.reference}),
        parts.refund_status(refund),
        order.buyer_name,
        money(refund.amount, refund.currency),
        parts.payer(refund.payment),
        refund.merchant.name,
        mode(order.live),
        moment(refund.created_at),
    )


urlpatterns = [path("", admin.site.admin_view(page), name="admin_find")]
