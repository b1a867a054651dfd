"""Bringing a payment of pretix to where its order at friendpay is, whoever noticed first. Every step may be repeated.

Locks: the order, then its payment, as pretix has them. friendpay is never called while one is held, but in
`cancel_payment`, which pretix itself calls inside a transaction.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.utils.timezone import now
from django.utils.translation import gettext as _
from friendpay_client import ApiError
from pretix.base.i18n import language
from pretix.base.models import Order, OrderPayment, OrderRefund, Quota
from pretix.base.payment import PaymentException
from pretix.helpers import OF_SELF

from pretix_friendpay import sums

if TYPE_CHECKING:
    from pretix_friendpay.provider import FriendpayProvider

logger = logging.getLogger(__name__)

OPEN = (OrderPayment.PAYMENT_STATE_CREATED, OrderPayment.PAYMENT_STATE_PENDING)
TAKEN = (OrderPayment.PAYMENT_STATE_CONFIRMED, OrderPayment.PAYMENT_STATE_REFUNDED)
HOLD = timedelta(days=3)
"""How much longer an order lives here while a friend may pay: as long as friendpay repeats a message to us."""
LONGEST = timedelta(days=30)
"""The most time that friendpay gives an order."""


def note(payment: OrderPayment, **more: str) -> None:
    """What is kept of friendpay with the payment: never anything about a person."""
    payment.info_data = {**payment.info_data, **more}
    payment.save(update_fields=["info"])


def _locked(order_id: int) -> Order:
    """Until the transaction ends. SQLite locks no rows: there, a transaction that begins by writing is alone."""
    Order.objects.filter(pk=order_id).update(status=F("status"))
    order: Order = Order.objects.select_for_update(of=OF_SELF).get(pk=order_id)
    return order


def hold(payment: OrderPayment) -> datetime:
    """The moment until which the friend has time: the order's own end. pretix's own task must not give up an order that
    is being paid, and it runs before any plugin's: so the end is moved away until friendpay says that the request is
    over. A repeat finds the order held, and says the same. Where pretix takes a payment after the end, it is a day.
    """
    with transaction.atomic():
        order = _locked(payment.order_id)
        kept = OrderPayment.objects.select_for_update(of=OF_SELF).get(pk=payment.pk)
        if order.status == Order.STATUS_PENDING:
            own = _own_end(order) or order.expires
            friends = min(own, now() + LONGEST)
            _move_end(order, max(own, now()) + HOLD)
            note(kept, until=friends.isoformat(), own=own.isoformat(), held=order.expires.isoformat())
        else:
            friends = now() + timedelta(days=1)
            note(kept, until=friends.isoformat())
    payment.info, payment.order.expires = kept.info, order.expires
    return friends


def release(order_id: int) -> None:
    """The order has its own end back, unless somebody moved it meanwhile or another friend may still pay."""
    with transaction.atomic():
        order = _locked(order_id)
        own = _own_end(order)
        if own and not order.payments.filter(provider="friendpay", state__in=OPEN).exists():
            _move_end(order, own)


def _own_end(order: Order) -> datetime | None:
    for payment in order.payments.filter(provider="friendpay"):
        if payment.info_data.get("held") == order.expires.isoformat():
            return datetime.fromisoformat(payment.info_data["own"])
    return None


def _move_end(order: Order, end: datetime) -> None:
    if order.status != Order.STATUS_PENDING or order.expires == end:
        return
    order.expires = end
    order.save(update_fields=["expires"])
    told = {"expires": end, "force": False, "state_change": False}
    order.log_action("pretix.event.order.expirychanged", data=told)


def settle_order(provider: FriendpayProvider, friendpay_order: str) -> None:
    """Whatever order this is: those of other programs with the same key are left alone. An event that was copied from
    another has that one's webhook and secret, so it is told there.
    """
    told = provider.client().get_order(friendpay_order)
    payment = OrderPayment.objects.filter(
        pk=told["metadata"].get("pretix_payment") or 0,
        order__event__organizer=provider.event.organizer,
        provider=provider.identifier,
    ).first()
    if payment and (theirs := type(provider)(payment.order.event)).settings.get("key") == provider.settings.get("key"):
        settle(theirs, payment, told)


def settle(provider: FriendpayProvider, payment: OrderPayment, told: dict[str, Any] | None = None) -> None:
    """pretix does what friendpay says: confirms, gives up, and follows the refunds."""
    told = told or find(provider, payment)
    if told is None:
        return
    if told["amount_paid"] and told["status"] == "paid":
        confirm(provider, payment, told)
        follow_refunds(provider, payment, told["id"])
    elif told["status"] != "awaiting_payment":
        give_up(payment)


def find(provider: FriendpayProvider, payment: OrderPayment) -> dict[str, Any] | None:
    """The payment's order at friendpay; None where none was made. By its reference, where the answer was lost."""
    client, info = provider.client(), payment.info_data
    if info.get("order"):
        return client.get_order(info["order"])
    if not info.get("until"):
        return None
    named = client.list_orders(reference=provider.reference(payment), limit=20)
    return next((it for it in named if it["metadata"].get("pretix_payment") == str(payment.pk)), None)


def confirm(provider: FriendpayProvider, payment: OrderPayment, told: dict[str, Any]) -> None:
    """Once, whoever comes second. Money that the order has no use for, as its tickets are gone or it was paid or
    cancelled meanwhile, goes back at once, and the order's log says why.
    """
    refund = None
    with transaction.atomic():
        order = _locked(payment.order_id)
        payment = OrderPayment.objects.select_for_update(of=OF_SELF).get(pk=payment.pk)
        if payment.state in TAKEN:
            return
        payment.order = order
        payment.amount = sums.major(told["amount_paid"], order.event.currency)
        note(payment, order=told["id"])
        payment.save(update_fields=["amount"])
        try:
            payment.confirm()
        except Quota.QuotaExceededException as error:
            useless, why = payment.amount, str(error)
            order.log_action("pretix.event.order.quotaexceeded", {"message": why})
        else:
            order.refresh_from_db()
            with language(order.locale, order.event.settings.region):
                why = _("A friend's payment came when the order did not need it any more.")
            useless = min(payment.amount, max(-order.pending_sum, Decimal(0)))
        if useless:
            refund = _new_refund(payment, useless, why)
    if refund:
        try:
            provider.execute_refund(refund)
        except PaymentException as error:
            fail(refund, str(error))


def _new_refund(payment: OrderPayment, amount: Decimal, why: str) -> OrderRefund:
    refund: OrderRefund = payment.order.refunds.create(
        payment=payment,
        provider=payment.provider,
        amount=amount,
        source=OrderRefund.REFUND_SOURCE_ADMIN,
        state=OrderRefund.REFUND_STATE_CREATED,
        comment=why,
    )
    data = {"local_id": refund.local_id, "provider": refund.provider}
    payment.order.log_action("pretix.event.order.refund.created", data)
    return refund


def end(provider: FriendpayProvider, payment: OrderPayment) -> bool:
    """The friend can pay no more, and this payment is given up; False where it is paid, and then it counts.
    Raises FriendpayError where friendpay could not be asked: then all stays as it is, and the end is still to come.
    """
    note(payment, until=min(until(payment) or now(), now()).isoformat())
    told = find(provider, payment)
    if told and told["status"] == "awaiting_payment":
        try:
            told = provider.client().cancel_order(told["id"])
        except ApiError as error:
            if error.status != 409:
                raise
            told = provider.client().get_order(told["id"])
    if told and told["status"] in ("awaiting_payment", "paid") and not told["paid_elsewhere"]:
        settle(provider, payment, told)
        return False
    give_up(payment)
    return True


def give_up(payment: OrderPayment) -> None:
    """The payment is cancelled here, where it is not over already, and the order has its own end back."""
    changed = OrderPayment.objects.filter(pk=payment.pk, state__in=OPEN).update(
        state=OrderPayment.PAYMENT_STATE_CANCELED
    )
    if changed:
        data = {"local_id": payment.local_id, "provider": payment.provider}
        payment.order.log_action("pretix.event.order.payment.canceled", data)
    release(payment.order_id)


def follow_refunds(provider: FriendpayProvider, payment: OrderPayment, friendpay_order: str) -> None:
    """Refunds of pretix's are done or have failed as friendpay's are; one made elsewhere is told as such, once."""
    listed = [it for it in provider.client().list_refunds(order=friendpay_order) if it["reason"] == "merchant"]
    ours = set()
    for refund in payment.refunds.exclude(source=OrderRefund.REFUND_SOURCE_EXTERNAL):
        ours.add(reference := provider.refund_reference(refund))
        follow(refund, [it["status"] for it in listed if it["merchant_reference"] == reference])
    for made in listed:
        gone = made["status"] in ("succeeded", "returned_elsewhere")
        if made["merchant_reference"] not in ours and gone:
            _told_elsewhere(payment, made)


def follow(refund: OrderRefund, parts: list[str]) -> None:
    """One refund of ours is as many at friendpay as friends get something back."""
    if not parts or refund.state == OrderRefund.REFUND_STATE_DONE:
        return
    if all(it in ("succeeded", "returned_elsewhere") for it in parts):
        refund.done()
    elif any(it in ("failed", "withdrawn") for it in parts):
        if refund.state != OrderRefund.REFUND_STATE_FAILED:
            fail(refund, _("The payer's wallet refused the refund."))
    elif refund.state != OrderRefund.REFUND_STATE_TRANSIT:
        refund.state = OrderRefund.REFUND_STATE_TRANSIT
        refund.save(update_fields=["state"])


def fail(refund: OrderRefund, why: str) -> None:
    """Told in the order's log, where the organiser looks."""
    refund.state = OrderRefund.REFUND_STATE_FAILED
    refund.save(update_fields=["state"])
    data = {"local_id": refund.local_id, "provider": refund.provider, "error": why}
    refund.order.log_action("pretix.event.order.refund.failed", data)


def _told_elsewhere(payment: OrderPayment, made: dict[str, Any]) -> None:
    with transaction.atomic():
        _locked(payment.order_id)
        if any(refund.info_data.get("refund") == made["id"] for refund in payment.refunds.all()):
            return
        amount = sums.major(made["amount"], made["currency"])
        refund = payment.create_external_refund(amount=amount)
        refund.info_data = {"refund": made["id"]}
        refund.save(update_fields=["info"])


def until(payment: OrderPayment) -> datetime | None:
    """The end of the friend's time; None before she was asked."""
    told = payment.info_data.get("until")
    return datetime.fromisoformat(told) if told else None


def begun(payment: OrderPayment, friendpay_order: str, checkout_url: str) -> None:
    """The friend was asked. A payment that a faster message has settled already stays so."""
    with transaction.atomic():
        _locked(payment.order_id)
        kept = OrderPayment.objects.select_for_update(of=OF_SELF).get(pk=payment.pk)
        note(kept, order=friendpay_order, checkout_url=checkout_url)
        if kept.state == OrderPayment.PAYMENT_STATE_CREATED:
            kept.state = OrderPayment.PAYMENT_STATE_PENDING
            kept.save(update_fields=["state"])
    payment.refresh_from_db()
