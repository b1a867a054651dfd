"""Decisions about a refund that failed: send it again, also in parts; withdraw it; or write down that the money was
returned by other means. Each is refused once the refund stands otherwise than the button was shown for.
"""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock
from friendpay.kit.errors import Refused
from payments.models import Refund
from payments.settlement import goods, holds, rules
from payments.settlement.locks import lock_payment, lock_refund, save
from payments.settlement.refund_moves import move_refund
from payments.wallets import registry

STATUS = Refund.Status


@transaction.atomic
def send_again(refund_id: int, *, actor: str) -> Refund:
    """Send a failed refund once more: under its number, or under a new one where the provider, asked, says that the old
    one is dead.
    """
    _failed(refund_id)
    return move_refund(refund_id, STATUS.REQUESTED, actor=actor)


@transaction.atomic
def withdraw(refund_id: int, *, actor: str) -> Refund:
    """Give up a failed refund that the merchant asked for; what it claimed can be refunded in another shape. Money that
    went back by itself is the payer's: it can be sent again or returned by other means, never kept.
    """
    if _failed(refund_id).reason != Refund.Reason.MERCHANT:
        raise Refused("refund_owed", _("This money is the payer's. It must go back in one way or another."))
    return move_refund(refund_id, STATUS.WITHDRAWN, actor=actor)


@transaction.atomic
def send_in_parts(refund_id: int, amount: int, *, actor: str) -> list[Refund]:
    """Send a failed refund again as two, one of `amount` and one of the rest, under numbers of their own."""
    return list(_divide(_failed(refund_id), amount, actor))


@transaction.atomic
def return_elsewhere(refund_id: int, how: str, amount: int | None = None, *, actor: str) -> Refund:
    """The payer got `amount` (all of it, without one) by other means, as `how` says: in the wallet's own site, in cash.

    It counts as refunded from now on. The rest of a failed refund is sent again. One that the provider has accepted and
    does not decide can be closed like this as well, as a whole; should the provider make it after all, it says so.
    """
    refund = lock_refund(refund_id)[3]
    if not how.strip():
        raise Refused("how_missing", _("Please write how the money was returned."), field="how", status=422)
    if refund.status == STATUS.SUBMITTED and amount not in (None, refund.amount):
        raise _not_failed()
    if refund.status != STATUS.SUBMITTED:
        refund = _failed(refund_id)
        if amount not in (None, refund.amount):
            refund, _rest = _divide(refund, amount, actor)
    Refund.objects.filter(pk=refund.pk).update(returned_how=how.strip())
    return move_refund(refund.pk, STATUS.RETURNED_ELSEWHERE, actor=actor)


def _failed(refund_id: int) -> Refund:
    """The refund, locked. Refused unless it failed."""
    refund = lock_refund(refund_id)[3]
    if refund.status != STATUS.FAILED:
        raise _not_failed()
    return refund


def _not_failed() -> Refused:
    return Refused("refund_not_failed", _("This refund has not failed, so nothing is to be done about it."))


def _divide(refund: Refund, amount: int, actor: str) -> tuple[Refund, Refund]:
    """Two refunds in the place of a failed one, of `amount` and of the rest, to be sent."""
    if not 0 < amount < refund.amount:
        words = _("A part is more than nothing and less than all of it.")
        raise Refused("amount_out_of_range", words, field="amount", status=422)
    rules.check_step(refund.amount - amount, refund.currency, registry.step(refund.account.provider, refund.currency))
    move_refund(refund.pk, STATUS.WITHDRAWN, actor=actor)
    order, request, payment = lock_payment(refund.payment_id)
    with goods.counting(order):
        first, second = (
            holds.send_back(
                request, payment, part, refund.reason, clock.now(), actor, refund.note, refund.merchant_reference
            )
            for part in (amount, refund.amount - amount)
        )
        goods.pass_on(refund, (first, second))
    save(request)
    return first, second
