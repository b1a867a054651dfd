"""Where a payment's own pages lead back to."""

from django.urls import reverse

from payments.models import Payment


def back_url(payment: Payment) -> str:
    """The page the payment was begun on. The buyer's page is told to the buyer alone."""
    if payment.by_buyer:
        return reverse("buyer", args=[payment.request.order.token])
    return reverse("friend", args=[payment.request.token]) + of_share(payment)


def of_share(payment: Payment) -> str:
    """What leads to the named share it is for."""
    return "" if payment.share is None else f"?share={payment.share + 1}"


def pay_url(payment: Payment) -> str:
    """Where the payer chose how to pay, and may choose again."""
    if payment.by_buyer:
        return reverse("buyer_pay", args=[payment.request.order.token])
    return reverse("friend_pay", args=[payment.request.token])
