"""A provider's bill of a day against our books: what the daily truth of both sides does not agree on is reported."""

import logging
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from friendpay import clock
from orders.errors import Refused
from orders.money import Money
from payments import providers, reconcile, refunds
from payments.models import BillMismatch, Payment, ProviderAccount, Refund
from payments.providers.base import BillLine, ProviderError, State

logger = logging.getLogger(__name__)
Kind = BillMismatch.Kind
LOOK_BACK = 7  # days


def compare(account: ProviderAccount, day: date) -> list[BillMismatch]:
    """Every mismatch of one account and day, stored once however often it is found. Raises ProviderError without bill.

    What the bill knows and we do not know yet is asked about first, so that money we merely had not heard of is settled
    rather than reported.
    """
    provider = providers.get(account.provider)
    lines = list(provider.bill(account.as_data(), day))
    found: list[BillMismatch] = []
    for line in lines:
        ours = _ours(account, line)
        if ours is not None and line.state == State.SUCCEEDED and ours.status != "succeeded":
            _ask_again(ours)
            ours.refresh_from_db()
        if mismatch := _against(line, ours):
            found.append(mismatch)
    found.extend(_missing_there(account, day, lines))
    for mismatch in found:
        mismatch.account, mismatch.day, mismatch.found_at = account, day, clock.now()
        logger.error("bill of %s for %s: %s", account.public_id, day, mismatch)
    BillMismatch.objects.bulk_create(found, ignore_conflicts=True)
    return found


@transaction.atomic
def put_right(mismatch_id: int, note: str) -> BillMismatch:
    """Support's word that a mismatch is explained or mended, and how. Refused when somebody has said so already."""
    mismatch = BillMismatch.objects.select_for_update(no_key=True).get(pk=mismatch_id)
    if mismatch.settled_at:
        raise Refused("mismatch_settled", _("Somebody has put this right already."))
    mismatch.settled_at, mismatch.note = clock.now(), note
    mismatch.save(update_fields=["settled_at", "note"])
    return mismatch


def _ours(account: ProviderAccount, line: BillLine) -> Payment | Refund | None:
    """The row a line speaks of: by the provider's own number first, since that one is never used for two things."""
    kind: type[Payment] | type[Refund] = Payment if line.about == "charge" else Refund
    rows = kind._default_manager.select_related("account").filter(account=account)
    known = rows.filter(provider_ref=line.provider_ref).first() if line.provider_ref else None
    return known or rows.filter(reference=line.reference).first()


def _ask_again(ours: Payment | Refund) -> None:
    provider = providers.get(ours.account.provider)
    account = ours.account.as_data()
    try:
        if isinstance(ours, Payment):
            reconcile.apply(ours, provider.fetch(account, ours.reference, ours.provider_session))
        else:
            charge, charge_ref = ours.payment.reference, ours.payment.provider_ref
            outcome = provider.fetch_refund(account, reference=ours.reference, charge=charge, charge_ref=charge_ref)
            refunds.apply(ours, outcome)
    except (ProviderError, ValueError) as error:
        logger.warning("%s could not be asked about: %s", ours, error)


def _booked(ours: Payment | Refund) -> Money:
    return ours.captured if isinstance(ours, Payment) else ours.money


def _against(line: BillLine, ours: Payment | Refund | None) -> BillMismatch | None:
    theirs = f"{line.amount} {line.state}"
    mismatch = BillMismatch(about=line.about, reference=line.reference, provider_ref=line.provider_ref, theirs=theirs)
    if ours is None:
        mismatch.kind = Kind.MISSING_HERE
        return mismatch if line.state == State.SUCCEEDED else None
    mismatch.ours = f"{_booked(ours)} {ours.status}"
    if (line.state == State.SUCCEEDED) != (ours.status == "succeeded"):
        mismatch.kind = Kind.STATUS
    elif line.state == State.SUCCEEDED and line.amount != _booked(ours):
        mismatch.kind = Kind.AMOUNT
    else:
        return None
    return mismatch


def _missing_there(account: ProviderAccount, day: date, lines: list[BillLine]) -> list[BillMismatch]:
    """What we booked as done on that day and no bill speaks of.

    We hear of money when it was booked or later, so that the bills of the days before are looked at as well, back to
    when the payment or refund began.
    """
    start = datetime.combine(day, time.min, UTC)
    on_day = Q(account=account, succeeded_at__gte=start, succeeded_at__lt=start + timedelta(days=1))
    rows: list[Payment | Refund] = [*Payment.objects.filter(on_day), *Refund.objects.filter(on_day)]
    billed = list(lines)
    for back in range(1, LOOK_BACK + 1):
        numbers = {number for line in billed for number in (line.reference, line.provider_ref) if number}
        rows = [row for row in rows if row.reference not in numbers and row.provider_ref not in numbers]
        earlier = day - timedelta(days=back)
        if not any(row.created_at.date() <= earlier + timedelta(days=1) for row in rows):
            break
        billed = list(providers.get(account.provider).bill(account.as_data(), earlier))
    return [
        BillMismatch(
            kind=Kind.MISSING_THERE,
            about="charge" if isinstance(row, Payment) else "refund",
            reference=row.reference,
            provider_ref=row.provider_ref,
            ours=f"{_booked(row)} {row.status}",
        )
        for row in rows
    ]
