"""The timeline's sentences for events about requests, payments and refunds."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from orders.admin import timeline
from orders.admin.timeline import Say
from orders.models import Event
from payments.models import Refund
from payments.models.payment import TAKEN_OVER
from payments.offers.weighing import LABELS
from payments.share import phrases


def _payer(data: Mapping[str, Any]) -> str:
    return data.get("payer_name") or (_("The buyer") if data.get("by_buyer") else _("A friend"))


def _with_payer(text: str) -> Say:
    """A sentence about the payer and the wallet."""

    def say(event: Event) -> str:
        data = event.data
        method = data.get("method", "")
        return _(_meant(event, text)) % {
            "payer": _payer(data),
            "wallet": LABELS.get(method, method),
            "code": data.get("failure_code") or "-",
        }

    return say


def _meant(event: Event, text: str) -> str:
    """The sentence, or the one that fits what happened before or at the same moment."""
    if event.type == "payment.succeeded" and timeline.before(event) in ("payment.failed", "payment.cancelled"):
        return gettext_noop("%(payer)s had paid with %(wallet)s after all.")
    if vars(event).get("unheard"):
        return gettext_noop("%(payer)s paid with %(wallet)s. No notification had come; we asked the wallet.")
    if event.type == "payment.cancelled" and event.data.get("failure_code") == TAKEN_OVER:
        return gettext_noop("Somebody else took over: the attempt of %(payer)s was closed without money.")
    if event.type == "payment.released" and timeline.at_once(event) == "payment.created":
        return gettext_noop("Somebody else takes over what %(payer)s held; the wallet is still being asked.")
    if event.type == "refund.failed" and timeline.before(event) == "refund.succeeded":
        return gettext_noop("The payer’s bank sent the refund back (%(code)s). It is owed again.")
    return text


def _declined(event: Event) -> str:
    name, words = event.data.get("name") or _("A friend"), phrases.said(event.data)
    if words:
        return _("%(payer)s said no: “%(words)s”") % {"payer": name, "words": words}
    return _("%(payer)s said no.") % {"payer": name}


def _thanked(event: Event) -> str:
    return _("The buyer said thank you: “%(words)s”") % {"words": phrases.said(event.data)}


def _refund(event: Event) -> Refund | None:
    """The refund an event is about."""
    return Refund.objects.select_related("payment__request").filter(public_id=event.object_id).first()


def _with_reason(text: str) -> Say:
    """A sentence about a refund."""

    def say(event: Event) -> str:
        reason = event.data.get("reason", "")
        label = Refund.Reason(reason).label if reason in Refund.Reason.values else reason
        if reason == Refund.Reason.UNDERFUNDED:
            refund = vars(event).get("refund") or _refund(event)
            label = refund.why if refund else label
        return _(_meant(event, text)) % {"reason": label, "code": event.data.get("failure_code") or "-"}

    return say


_due = _with_reason(gettext_noop("The payer is due a refund: %(reason)s."))


def _requested(event: Event) -> str:
    by_shop = event.data.get("reason") == Refund.Reason.MERCHANT
    return _("The shop is refunding the payer.") if by_shop else str(_due(event))


def _returned_elsewhere(event: Event) -> str:
    return _("The money was returned by other means: %(how)s") % {"how": event.data.get("returned_how") or "-"}


timeline.SENTENCES.update(
    {
        "payment_request.created": gettext_lazy("A payment request was opened."),
        "payment_request.shared": gettext_lazy("The buyer asked a friend to pay."),
        "payment_request.opened": gettext_lazy("Somebody opened the link."),
        "payment_request.considered": gettext_lazy("Somebody is choosing how to pay."),
        "payment_request.changed": gettext_lazy("The request was changed: another message or another amount."),
        "payment_request.extended": gettext_lazy("The request was given more time."),
        "payment_request.declined": _declined,
        "payment_request.paid": gettext_lazy("The request is paid in full."),
        "payment_request.reported": gettext_lazy(
            "Several people reported requests of this buyer, who cannot ask friends until support decides."
        ),
        "payment_request.thanked": _thanked,
        "payment_request.expired": gettext_lazy("The time was over; nobody can pay any more."),
        "payment_request.cancelled": gettext_lazy("The request was cancelled; nobody can pay any more."),
        "payment.created": _with_payer(gettext_noop("%(payer)s began to pay with %(wallet)s.")),
        "payment.extended": _with_payer(gettext_noop("%(payer)s was given more time to pay with %(wallet)s.")),
        "payment.succeeded": _with_payer(gettext_noop("%(payer)s paid with %(wallet)s.")),
        "payment.failed": _with_payer(gettext_noop("The payment of %(payer)s did not go through (%(code)s).")),
        "payment.cancelled": _with_payer(gettext_noop("The attempt of %(payer)s was closed without money.")),
        "payment.adopted": _with_payer(gettext_noop("Support counted money for this request that named none.")),
        "payment.released": _with_payer(
            gettext_noop("What %(payer)s held is free again; the wallet is still being asked.")
        ),
        "payment.disputed": gettext_lazy(
            "The payer disputes the payment at the bank. Answer in the wallet’s own site."
        ),
        "payment.dispute_won": gettext_lazy("The dispute is over: the shop keeps the money."),
        "payment.dispute_lost": gettext_lazy("The dispute is over: the bank took the money back."),
        "refund.requested": _requested,
        "refund.renumbered": _with_reason(
            gettext_noop("The refund goes on under a new number; the wallet closed the old.")
        ),
        "refund.returned_elsewhere": _returned_elsewhere,
        "refund.withdrawn": _with_reason(
            gettext_noop("The refund that failed was withdrawn: another may take its place.")
        ),
        "refund.submitted": _with_reason(gettext_noop("The wallet accepted the refund.")),
        "refund.succeeded": _with_reason(gettext_noop("The refund is with the payer.")),
        "refund.external": gettext_lazy("Somebody of the shop refunded in the wallet’s own site."),
        "refund.failed": _with_reason(gettext_noop("The wallet refused the refund (%(code)s). It is still owed.")),
    }
)

timeline.SUMS.update(dict.fromkeys(("payment.succeeded", "payment.adopted"), ("amount_captured", "currency")))
timeline.SUMS.update(
    dict.fromkeys(("payment.disputed", "payment.dispute_won", "payment.dispute_lost"), ("disputed", "dispute_currency"))
)
