"""Canned sentences that people choose with one tap. Who chooses and who reads may not share a language, so what is kept
is the choice; each reads it in their own.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from friendpay.kit import limits, text_filter
from friendpay.kit.errors import Refused
from payments.models import Refund

DECLINES = {
    "sorry": _("Sorry, I can't this time."),
    "wallet": _("Sorry, I don't use any of these."),
    "again": _("Not this month, but do ask me again."),
}
THANKS = {
    "much": _("Thank you so much!"),
    "kind": _("That was very kind of you."),
    "next": _("Thank you! The next one is on me."),
}
WHY_RETURNED = {
    Refund.Reason.MERCHANT: _("The shop decided to refund it."),
    Refund.Reason.LATE: _("It arrived after the request had ended."),
    Refund.Reason.DUPLICATE: _("Someone else paid first."),
    Refund.Reason.SURPLUS: _("It was more than was needed."),
    Refund.Reason.UNDERFUNDED: _("The full amount wasn't reached in time."),
    Refund.Reason.MISMATCH: _("It wasn't the amount that was asked for."),
}
_KNOWN = DECLINES | THANKS


def said(data: Mapping[str, Any]) -> str:
    """What somebody said, as an event holds it: a chosen sentence in the reader's language, or their own words."""
    choice = data.get("choice", "")
    return str(_KNOWN[choice]) if choice in _KNOWN else str(data.get("words", ""))


def to_wallet(refund: Refund) -> str:
    """Why money goes back, as the payer reads it in the wallet: in the payer's language, as far as we know it."""
    payment = refund.payment
    with override(payment.language or payment.request.order.locale or settings.LANGUAGE_CODE):
        words = why_returned(refund)
        return words if len(words.encode()) <= limits.REFUND_REASON_BYTES else refund.why


def why_returned(refund: Refund) -> str:
    """Why money goes back, in a sentence that is true whether or not it is there yet."""
    if refund.is_of_cancelled:
        return str(_("The request was cancelled."))
    return str(WHY_RETURNED[Refund.Reason(refund.reason)])


def first_name(name: str) -> str:
    """A buyer's first name, for what leaves our pages; "A friend" where it is no name but holds an address."""
    first = name.split()[0][:20] if name.split() else ""
    try:
        text_filter.check_name(first)
    except Refused:
        first = ""
    return first or str(_("A friend"))
