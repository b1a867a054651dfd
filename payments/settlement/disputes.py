"""Open disputes are asked about until they are decided, as payments and refunds are: a wallet gives up telling after
some days, and a bill alone may have one that was told to nobody. What is answered is heard as if it had been told.
"""

from collections.abc import Sequence

from friendpay.kit import clock, limits
from payments.models import Dispute, ProviderAccount
from payments.settlement import outside, rounds
from payments.settlement.calls import calling
from payments.wallets.abilities import KnowsDisputes
from payments.wallets.base import BillLine, Outcome, ProviderError, State


def ask() -> int:
    """Ask about all that are due (the sweep); says about how many. One that is still open is due again in a day, one
    whose wallet did not answer sooner.
    """
    return rounds.work_through(Dispute.objects.due(clock.now()).select_related("payment"), _ask)


def _ask(dispute: Dispute) -> None:
    try:
        outcome = _fetch(dispute)
    except ProviderError as error:
        if error.permanent:
            _put_off(dispute)
        raise
    outside.hear_dispute(dispute.payment_id, outcome)
    _put_off(dispute)


def _fetch(dispute: Dispute) -> Outcome:
    with calling(dispute.account) as (provider, account):
        if not isinstance(provider, KnowsDisputes):
            raise ProviderError("this wallet cannot be asked about disputes", permanent=True, code="not_asked")
        outcome = provider.fetch_dispute(account, dispute.provider_ref)
    if outcome.state == State.UNKNOWN:
        raise ProviderError("the wallet does not know the dispute it told us of", permanent=True, code="unknown")
    return outcome


def _put_off(dispute: Dispute) -> None:
    """The wallet has answered, and another question this day would be told the same. Nothing where it is decided."""
    still_open = Dispute.objects.filter(pk=dispute.pk, closed_at=None)
    still_open.update(next_attempt_at=clock.now() + limits.DISPUTE_AGAIN_AFTER, attempts=0)


def told_by(line: BillLine) -> Outcome:
    """What a line of a bill says of a dispute: that there is one. How it stands is asked."""
    return Outcome(State.PENDING, "", line.provider_ref, line.amount, line.code)


def hear_from_bill(account: ProviderAccount, lines: Sequence[BillLine]) -> dict[str, Dispute]:
    """A bill has disputes: money moved for them. One that nobody told us of is open from now on, and whatever is still
    open is asked about at once. Those of money of ours that is known, by their numbers.
    """
    named = Dispute.objects.filter(account=account, provider_ref__in={line.provider_ref for line in lines})
    ours = {dispute.provider_ref: dispute for dispute in named}
    for line in lines:
        if line.provider_ref in ours:
            continue
        payment = outside.charged(account, line.charge, line.charge_ref)
        if payment and payment.amount_captured:
            ours[line.provider_ref] = outside.hear_dispute(payment.pk, told_by(line))
    if ours:
        still_open = Dispute.objects.filter(pk__in=[dispute.pk for dispute in ours.values()], closed_at=None)
        still_open.update(next_attempt_at=clock.now())
    return ours
