"""The sandbox wallet: takes charges, lets a payer decide, sends money back, and is as strict as a real one.

It stands outside: it knows accounts, references and plain amounts, nothing of orders or payments. Shops call
`open_charge`, `find`, `close`, `refund`, `find_refund`, `find_dispute`, `bill`; the payer's page calls `view`,
`approve`, `refuse`, `notify_again`. What writes is its own transaction and will not run inside another, as a network
call would not.
"""

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from friendpay.kit import clock, ids, prepared
from friendpay.kit.compiled import Compiled, Given
from friendpay.kit.writes import Writes
from sandbox import notices, outcomes
from sandbox.details import BillEntry as BillEntry
from sandbox.details import ChargeDetails as ChargeDetails
from sandbox.details import DisputeDetails as DisputeDetails
from sandbox.details import NewCharge as NewCharge
from sandbox.details import RefundDetails as RefundDetails
from sandbox.details import Rejected as Rejected
from sandbox.details import Status as Status
from sandbox.models import Charge, ChargeRefund
from sandbox.outcomes import Simulated


def open_charge(new: NewCharge) -> ChargeDetails:
    """Take a charge. The same reference gives the same charge, whatever became of it; refused for another amount."""
    try:
        charge = _opened(new)
    except IntegrityError:  # another call with this reference was faster
        charge = Charge.objects.get(account=new.account, reference=new.reference)
    if (charge.amount, charge.currency) != (new.amount, new.currency):
        raise Rejected("reference_used", "This reference was used for another amount.")
    return _details(charge)


@transaction.atomic(durable=True)
def _opened(new: NewCharge) -> Charge:
    """The charge that has this reference already, else a new one. BEGIN goes with the look whether there is one."""
    with prepared.together():
        found, now = _BY_REFERENCE.ask(account=new.account, reference=new.reference), clock.ask()
    if charge := next(iter(found()), None):
        return charge
    charge = Charge(**vars(new), simulated=outcomes.BY_AMOUNT.get(new.amount, ""), created_at=now())
    writes = Writes()
    _check(charge)
    writes.insert(charge)
    writes.run()
    return charge


def simulate(account: str, reference: str, simulated: Simulated | None) -> ChargeDetails:
    """From now on this charge does so, whatever its amount says; without a name it stays as it is."""
    if simulated:
        Charge.objects.filter(account=account, reference=reference).update(simulated=simulated)
    return _details(Charge.objects.get(account=account, reference=reference))


@transaction.atomic(durable=True)
def find(account: str, reference: str) -> ChargeDetails | None:
    """Where the charge of this reference stands; None when there is none. Past its deadline the look closes it."""
    charge = _found(account, reference)
    if charge is None:
        return None
    if charge.status == Status.OPEN and charge.deadline <= clock.now():
        charge, now = _locked(charge.ref)  # an approval may be on its way into the database: its word goes first
        if charge.status == Status.OPEN:
            _decide(charge, Status.CLOSED, now)
    return _details(charge)


@transaction.atomic(durable=True)
def close(account: str, reference: str) -> ChargeDetails | None:
    """Take no approval of this charge any more, then say where it stands. A paid one stays paid."""
    charge = Charge.objects.select_for_update().filter(account=account, reference=reference).first()
    if charge is None:
        return None
    if charge.status == Status.OPEN:
        _decide(charge, Status.CLOSED, clock.now())
    return _details(charge)


@transaction.atomic(durable=True)
def refund(
    account: str, *, reference: str, charge: str, transaction_id: str, charged: int, amount: int, currency: str
) -> RefundDetails:
    """Send `amount` of the `charged` back, at once. One reference sends it once; never more goes back than was paid."""
    paid = Charge.objects.select_for_update().filter(account=account, reference=charge, status=Status.PAID).first()
    if amount <= 0:
        raise Rejected("malformed", "A refund is at least one unit.")
    if paid is None or (paid.transaction, paid.amount, paid.currency) != (transaction_id, charged, currency):
        raise Rejected("no_such_payment", "There is no such payment.")
    outcomes.check_refundable(paid)
    now = clock.now()
    made, new = ChargeRefund.objects.get_or_create(
        account=account,
        reference=reference,
        defaults={"charge": paid, "amount": amount, "transaction": ids.public_id("txn"), "created_at": now},
    )
    if (made.charge_id, made.amount) != (paid.pk, amount):
        raise Rejected("reference_used", "This reference was used for another refund.")
    details = outcomes.refund_details(made, paid, now)
    if not new:
        return details
    if amount > paid.amount - paid.refunded:
        raise Rejected("more_than_paid", "No more goes back than is left of the payment.")
    paid.refunded += amount
    writes = Writes()
    writes.update(paid, "refunded")
    outcomes.tell_of_refund(paid, details, now, writes)
    writes.run()
    return details


def find_refund(account: str, reference: str) -> RefundDetails | None:
    """The refund of this reference; None when it was never made."""
    made = ChargeRefund.objects.filter(account=account, reference=reference).select_related("charge").first()
    return outcomes.refund_details(made, made.charge, clock.now()) if made else None


def find_dispute(account: str, number: str) -> DisputeDetails | None:
    """The dispute of this number; None where there is none."""
    if not number.startswith(outcomes.DISPUTE):
        return None
    disputed = Charge.objects.filter(
        account=account, status=Status.PAID, transaction=number.removeprefix(outcomes.DISPUTE)
    ).first()
    return outcomes.dispute_details(disputed, clock.now()) if disputed else None


def bill(account: str, start: datetime, end: datetime) -> Iterator[BillEntry]:
    """Everything that moved from `start` until before `end`: what was paid, then what went back."""
    paid = Charge.objects.filter(account=account, status=Status.PAID, decided_at__gte=start, decided_at__lt=end)
    for charge in paid.order_by("decided_at", "id"):
        yield BillEntry("charge", charge.reference, charge.transaction, charge.amount, charge.currency)
    back = ChargeRefund.objects.filter(account=account, created_at__gte=start, created_at__lt=end)
    for made in back.order_by("created_at", "id").select_related("charge"):
        charge = made.charge
        numbers = made.reference, made.transaction
        yield BillEntry("refund", *numbers, made.amount, charge.currency, charge.reference, charge.transaction)


def view(ref: str) -> ChargeDetails | None:
    """The charge for its payer's page. Writes nothing: one past its deadline is only shown as closed."""
    charge = Charge.objects.filter(ref=ref).first()
    if charge is None:
        return None
    if charge.status == Status.OPEN and charge.deadline <= clock.now():
        charge.status = Status.CLOSED
    return _details(charge)


@transaction.atomic(durable=True)
def approve(ref: str, *, late: bool = False, tell: bool = True) -> ChargeDetails:
    """The payer pays, and what is simulated follows. A repeat changes nothing. Refused after the payer's no, a close,
    or the deadline.

    `late` takes the money after a close or the deadline all the same, as some wallets do; `tell=False` loses the
    notification.
    """
    charge, now = _locked(ref)
    if charge.status == Status.PAID:
        return _details(charge)
    if charge.status == Status.REFUSED:
        raise Rejected("refused", "The payer has refused this payment.")
    if not late and (charge.status == Status.CLOSED or charge.deadline <= now):
        raise Rejected("closed", "This payment is closed.")
    if charge.simulated == Simulated.REFUSED:
        _decide(charge, Status.REFUSED, now, "charge.refused")
        return _details(charge)
    charge.transaction = ids.public_id("txn")
    untold = not tell or charge.simulated == Simulated.UNTOLD
    _decide(charge, Status.PAID, now, "charge.paid", held_back=untold)
    outcomes.follow(charge, now)
    return _details(charge)


@transaction.atomic(durable=True)
def refuse(ref: str) -> ChargeDetails:
    """The payer says no, for good. A repeat changes nothing. Refused once paid, closed, or past the deadline."""
    charge, now = _locked(ref)
    if charge.status == Status.REFUSED:
        return _details(charge)
    if charge.status == Status.PAID:
        raise Rejected("paid", "This payment is made already.")
    if charge.status == Status.CLOSED or charge.deadline <= now:
        raise Rejected("closed", "This payment is closed.")
    _decide(charge, Status.REFUSED, now, "charge.refused")
    return _details(charge)


@transaction.atomic(durable=True)
def notify_again(ref: str) -> ChargeDetails:
    """Send the charge's last notification again: a duplicate, or the lost one, late."""
    charge, now = _locked(ref)
    notices.repeat(charge, now)
    return _details(charge)


_BY_REF = Compiled(
    lambda: Charge.objects.select_for_update().annotate(read_at=clock.Now()).filter(ref=Given("ref")).order_by()
)
_BY_REFERENCE = Compiled(
    lambda: Charge.objects.filter(account=Given("account"), reference=Given("reference")).order_by()
)


def _locked(ref: str) -> tuple[Charge, datetime]:
    """The charge, and what time it is."""
    charge = next(iter(_BY_REF(ref=ref)), None)
    if charge is None:
        raise Rejected("unknown", "There is no such charge.")
    return charge, clock.told(vars(charge)["read_at"])


def _found(account: str, reference: str) -> Charge | None:
    return next(iter(_BY_REFERENCE(account=account, reference=reference)), None)


def _decide(charge: Charge, status: Status, now: datetime, tell: str = "", *, held_back: bool = False) -> None:
    """With the notification that tells of it, if there is one."""
    charge.status, charge.decided_at = status, now
    writes = Writes()
    writes.update(charge, "status", "transaction", "decided_at")
    if tell:
        notices.write(charge, tell, _said(charge), now, writes, held_back=held_back)
    writes.run()


def _check(charge: Charge) -> None:
    try:
        charge.clean_fields()
    except ValidationError as error:
        raise Rejected("malformed", f"Not a charge: {', '.join(error.message_dict)}.") from None
    if charge.amount <= 0:
        raise Rejected("malformed", "A charge is at least one unit.")
    for url in (charge.notify_url, charge.return_url):
        if not url.startswith(("http://", "https://")) or not urlsplit(url).hostname:
            raise Rejected("malformed", "Notifications and payers are sent to web addresses only.")
    if charge.deadline <= charge.created_at:
        raise Rejected("closed", "The deadline has passed.")


def _details(charge: Charge) -> ChargeDetails:
    return ChargeDetails(
        ref=charge.ref,
        reference=charge.reference,
        amount=charge.amount,
        currency=charge.currency,
        exponent=charge.exponent,
        subject=charge.subject,
        status=Status(charge.status),
        transaction=charge.transaction,
        return_url=charge.return_url,
        simulated=charge.simulated,
    )


def _said(charge: Charge) -> dict[str, object]:
    return {
        "charge": {
            "reference": charge.reference,
            "status": charge.status,
            "transaction": charge.transaction,
            "amount": charge.amount,
            "currency": charge.currency,
        }
    }
