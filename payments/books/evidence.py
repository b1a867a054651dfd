"""Evidence for a dispute: what is on record of one payment, what its payer saw, and nothing of other people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from friendpay.kit.money import Money
from orders.models import DeliveryNote, Event, Order
from payments.models import Dispute, Mail, Payment, PaymentRequest, ProviderEvent, Refund, Step
from payments.share import receipt_numbers, safety_words

_OF_OTHERS = ("payment_request.declined",)
"""Events of the request that tell of other people than the payer."""


@dataclass(frozen=True)
class Evidence:
    """One payment, as far as its bank may want to know. It names the buyer who asked and the payer, and nobody else."""

    dispute: Dispute
    payment: Payment
    request: PaymentRequest
    order: Order
    receipt: str
    language: str
    seen: Sequence[str]  # the words of the page, in the payer's language
    events: Sequence[Event]
    taps: Sequence[Step]
    attempts: Sequence[Payment]  # of the same payer
    notifications: Sequence[ProviderEvent]
    mails: Sequence[Mail]
    refunds: Sequence[Refund]
    disputes: Sequence[Dispute]
    delivery: DeliveryNote | None

    @property
    def opened_at(self) -> datetime | None:
        """When a person first looked at the page, where no other friend can be meant."""
        return None if self.request.split_max_payers else self.request.opened_at


def of(dispute: Dispute) -> Evidence:
    """All of it, from the rows as they are now; what was forgotten meanwhile is not in it."""
    payment = dispute.payment
    request, order = payment.request, payment.request.order
    mine = Q(visitor=payment.visitor) if payment.visitor else Q(pk=payment.pk)
    names = Q(charge_ref=payment.provider_ref) if payment.provider_ref else Q(pk=None)
    told = ProviderEvent.objects.filter(
        names | Q(reference=payment.reference) | Q(charge=payment.reference), account_id=payment.account_id
    )
    return Evidence(
        dispute=dispute,
        payment=payment,
        request=request,
        order=order,
        receipt=receipt_numbers.number(payment.pk),
        language=payment.language,
        seen=_seen(payment, request, order),
        events=_events(payment, request),
        taps=[] if request.split_max_payers or payment.by_buyer else list(request.steps.order_by("at")),
        attempts=list(request.payments.filter(mine).order_by("id")),
        notifications=list(told.order_by("id")),
        mails=list(Mail.objects.filter(to__payment=payment).select_related("to").order_by("id")),
        refunds=list(payment.refunds.select_related("payment__request").order_by("id")),
        disputes=list(payment.disputes.exclude(pk=dispute.pk).order_by("id")),
        delivery=DeliveryNote.objects.filter(order=order).first(),
    )


def _events(payment: Payment, request: PaymentRequest) -> list[Event]:
    """What happened to this payment and its request, and to nobody else's money."""
    ours = [payment.public_id, request.public_id, request.order.public_id]
    ours += payment.refunds.values_list("public_id", flat=True)
    rows = Event.objects.filter(Q(request=request.public_id) | Q(order=request.order), object_id__in=ours)
    return list(rows.exclude(type__in=_OF_OTHERS).order_by("id"))


def _seen(payment: Payment, request: PaymentRequest, order: Order) -> list[str]:
    """The words of the friend's page (`templates/public/friend/`), in the language she had it in. Nobody else's name is
    in them.
    """
    if payment.by_buyer:
        return []
    names = {"name": order.buyer_name, "shop": order.merchant.name}
    with translation.override(payment.language or None):
        if request.shares:
            asked = _("%(name)s is asking you to pay your share")
        elif request.split_max_payers:
            asked = _("%(name)s is asking you to chip in")
        else:
            asked = _("%(name)s is asking you to pay")
        promises = [
            asked,
            _("%(name)s's order at %(shop)s"),
            _("Paid to %(shop)s, not to %(name)s."),
            _("If you do nothing, you won't be charged."),
            _("Your money goes directly to %(shop)s. Neither %(name)s nor we hold it."),
            _(
                "Refunds go back to the wallet you pay with. No account needed. You won't see %(name)s's address; "
                "%(name)s won't see your account."
            ),
        ]
        if request.split_max_payers:
            promises.append(_("If the full amount isn't reached in time, everyone gets their money back."))
        amount = Money(payment.amount, payment.currency).text(translation.get_language() or "en")
        words = safety_words.of(request.token).text
        return [line % names if "%(" in line else line for line in promises] + [amount, words]
