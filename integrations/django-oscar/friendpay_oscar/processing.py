"""What staff do in the dashboard with an order that a friend pays. Comes before the shop's own EventHandler."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from friendpay_client import ApiError, FriendpayError, money
from oscar.apps.payment.exceptions import PaymentError

from friendpay_oscar import api, orders, statuses


class FriendsOrders:
    """Orders that no friend pays pass through untouched."""

    def handle_order_status_change(self, order: Any, new_status: str, note_msg: str | None = None) -> None:
        """A held order leaves its hold at friendpay first. Cancelled is refused when a friend has just paid: then the
        order is confirmed instead. Any other status means that staff have the money by other means.
        """
        held = order.status == statuses.WAITING and new_status != statuses.WAITING
        if not held or self.kwargs.get("friendpay_knows") or not orders.source_of(order):
            super().handle_order_status_change(order, new_status, note_msg)
            return
        try:
            if new_status == statuses.given_up():
                orders.give_up(order)
            else:
                orders.paid_elsewhere(order, note_msg or "")
        except FriendpayError as error:
            raise PaymentError(_("friendpay says: %s") % _words(error)) from error
        if order.status != new_status:
            raise PaymentError(_("A friend has just paid this order: it is confirmed now."))

    def handle_payment_event(
        self,
        order: Any,
        event_type: Any,
        amount: Any,
        lines: Any = None,
        line_quantities: Any = None,
        **kwargs: Any,
    ) -> Any:
        """`Refund` sends money back to who paid, whole or in part, never more than was paid, and once for each page
        that staff had before them: the number it showed is the refund's reference.
        """
        source = orders.source_of(order)
        if not source or event_type.name != orders.REFUND or self.kwargs.get("friendpay_knows"):
            return super().handle_payment_event(order, event_type, amount, lines, line_quantities, **kwargs)
        self.validate_payment_event(order, event_type, amount, lines, line_quantities, **kwargs)
        shown = self.kwargs.get("friendpay_refund") or ""
        number = int(shown) if shown.isascii() and shown.isdecimal() else order.payment_events.count() + 1
        reference = f"{order.number}-R{number}"
        try:
            cents = money.minor(amount, order.currency)
            api.client().refund_order(source.reference, amount=cents, merchant_reference=reference)
        except (FriendpayError, ValueError) as error:
            raise PaymentError(_words(error)) from error
        with transaction.atomic():
            type(order).objects.select_for_update().get(pk=order.pk)
            told_already = order.payment_events.filter(reference=reference).first()  # by a webhook that was quicker
            return told_already or super().handle_payment_event(
                order, event_type, amount, lines, line_quantities, **{**kwargs, "reference": reference}
            )


def _words(error: Exception) -> str:
    return error.detail if isinstance(error, ApiError) and error.detail else str(error)
