"""The shop's orders that a friend is to pay: held, confirmed once, given up, refunded.

Nothing is believed but what friendpay's API answers, and nothing is changed but under the order's lock, so it does not
matter how often, how late or in which order we are told. No call is made inside a transaction.
"""

import logging
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from friendpay_client import ApiError, money
from oscar.core.loading import get_class, get_model

from friendpay_oscar import api, mail, statuses

logger = logging.getLogger("friendpay.oscar")
CODE, NAME = "friendpay", "friendpay"
PAID, REFUND = "Paid by a friend", "Refund"
"""Types of payment events. `Refund` is what staff choose in the dashboard to send money back."""
_ENDED = ("payment_request.expired", "payment_request.cancelled")


def hold(order: Any, friendpay_id: str) -> None:
    """Note at which of friendpay's orders this one is to be paid. Its goods are allocated already, by its placing."""
    kind, _made = get_model("payment", "SourceType").objects.get_or_create(code=CODE, defaults={"name": NAME})
    get_model("order", "PaymentEventType").objects.get_or_create(name=REFUND)
    source = order.sources.create(source_type=kind, currency=order.currency, reference=friendpay_id)
    source.allocate(order.total_incl_tax, reference=friendpay_id)


def held(friendpay_id: str) -> Any | None:
    """The shop's order behind one of friendpay's; None for one that is not of this shop."""
    found = get_model("order", "Order").objects.filter(sources__source_type__code=CODE, sources__reference=friendpay_id)
    return found.first()


def source_of(order: Any) -> Any | None:
    """How a friend pays it; None for an order that is paid in another way."""
    return order.sources.filter(source_type__code=CODE).first()


def hear(friendpay_id: str, type: str) -> None:
    """Act on a webhook: it says that something happened, the API says what."""
    order = held(friendpay_id)
    if order is None:
        return
    if type in _ENDED and not _is_open(friendpay_id):
        give_up(order)
    else:
        sync(order)


def give_up(order: Any) -> dict[str, Any]:
    """The shop wants the goods back. friendpay is told first: where a friend has paid meanwhile, the order is confirmed
    instead, and never cancelled.
    """
    try:
        api.client().cancel_order(source_of(order).reference)
    except ApiError as error:
        if error.code != "order_paid":
            raise
    return sync(order)


def paid_elsewhere(order: Any, note: str) -> dict[str, Any]:
    """Staff have the money by other means: nobody is asked for it any more. Parts that friends gave go back."""
    try:
        api.client().mark_order_paid(source_of(order).reference, note=note)
    except ApiError as error:
        if error.code != "order_paid":
            raise
    return sync(order)


def sync(order: Any, *, hasty: bool = False) -> dict[str, Any]:
    """Make the shop's order say what friendpay's says, which is given back. Repeating it changes nothing. `hasty`, for
    pages: raises sooner when nobody answers.
    """
    friendpay_id = source_of(order).reference
    client = api.hasty() if hasty else api.client()
    truth: dict[str, Any] = dict(client.get_order(friendpay_id))
    refunds = list(client.list_refunds(order=friendpay_id)) if truth["status"] == "paid" else []
    with transaction.atomic():
        locked = get_model("order", "Order").objects.select_for_update().get(pk=order.pk)
        source = source_of(locked)
        if locked.status == statuses.WAITING:
            if truth["status"] == "paid":
                _confirm(locked, source, truth)
            elif truth["status"] in ("cancelled", "expired"):
                _release(locked)
        elif truth["status"] == "paid" and locked.status == statuses.given_up() and not source.amount_debited:
            logger.error("order %s was given up, and is paid at friendpay (%s)", locked.number, friendpay_id)
        for refund in refunds:
            if refund["reason"] == "merchant":
                _note_refund(locked, source, refund)
    order.refresh_from_db()
    return truth


def handler() -> Any:
    """The shop's own, which does as it is told: friendpay knows already."""
    return get_class("order.processing", "EventHandler")(friendpay_knows=True)


def _is_open(friendpay_id: str) -> bool:
    return any(asked["status"] == "open" for asked in api.client().list_payment_requests(friendpay_id))


def _confirm(order: Any, source: Any, truth: dict[str, Any]) -> None:
    if truth["paid_elsewhere"]:
        handler().create_note(order, _("Paid elsewhere, not by a friend."))
    else:
        amount = money.major(truth["amount"], truth["currency"])
        source.debit(amount, reference=truth["id"], status="paid")
        kind, _made = get_model("order", "PaymentEventType").objects.get_or_create(name=PAID)
        handler().create_payment_event(order, kind, amount, reference=truth["id"])
    handler().handle_order_status_change(order, statuses.paid(), note_msg=_("A friend has paid."))
    transaction.on_commit(lambda: mail.order_placed(order))


def _release(order: Any) -> None:
    """Goods, coupons and offers are free again, as if it had never been ordered."""
    handler().handle_order_status_change(order, statuses.given_up(), note_msg=_("Cancelled: no friend has paid."))
    handler().cancel_stock_allocations(order)
    for discount in order.discounts.all():
        get_model("offer", "ConditionalOffer").objects.filter(pk=discount.offer_id).update(
            num_applications=F("num_applications") - discount.frequency,
            num_orders=F("num_orders") - 1,
            total_discount=F("total_discount") - discount.amount,
        )
        get_model("voucher", "Voucher").objects.filter(pk=discount.voucher_id).update(
            total_discount=F("total_discount") - discount.amount
        )
    for use in get_model("voucher", "VoucherApplication").objects.filter(order=order):
        get_model("voucher", "Voucher").objects.filter(pk=use.voucher_id).update(num_orders=F("num_orders") - 1)
        use.delete()


def _note_refund(order: Any, source: Any, refund: dict[str, Any]) -> None:
    """Once each: money that arrived at the friend, also what was sent from friendpay's own desk; and what failed."""
    amount = money.major(refund["amount"], refund["currency"])
    if refund["status"] in ("succeeded", "returned_elsewhere"):
        if not source.transactions.filter(txn_type="Refund", reference=refund["id"]).exists():
            source.refund(amount, reference=refund["id"], status=refund["status"])
        reference = refund["merchant_reference"] or refund["id"]
        if not order.payment_events.filter(reference=reference).exists():
            kind = get_model("order", "PaymentEventType").objects.get(name=REFUND)
            handler().create_payment_event(order, kind, amount, reference=reference)
    elif refund["status"] == "failed":
        words = _("Refund %(id)s of %(amount)s failed; it is still owed.") % {"id": refund["id"], "amount": amount}
        if not order.notes.filter(message=words).exists():
            handler().create_note(order, words)
