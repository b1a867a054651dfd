"""A provider's bill of a day against our books: what the daily truth of both sides does not agree on is reported.

One line of a bill stands for one row of ours, and one row for one line (`billed_on`), whatever days they stand on: what
one side has and the other has not is found, however alike the amounts are.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, limits
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from payments.models import BillDay, BillMismatch, Fee, Payment, ProviderAccount, Refund
from payments.settlement import disputes, fees, inbox, outside, reconcile, refunds
from payments.settlement.calls import calling
from payments.settlement.fees import Row
from payments.wallets import registry
from payments.wallets.base import BillLine, NoBill, State

logger = logging.getLogger(__name__)
Kind = BillMismatch.Kind


def compare(account: ProviderAccount, day: date) -> list[BillMismatch]:
    """Every mismatch of one account and day, stored once however often it is found. Raises ProviderError without bill,
    which is not asked for while the wallet is left alone.

    What the bill says otherwise is asked about first, so that money we merely had not heard of is settled rather than
    reported. So is a dispute that we had not heard of; one of money that is not known yet is kept until that is.
    """
    told = _lines(account, day)
    lines = [line for line in told if line.about != "dispute"]
    found: list[BillMismatch] = []
    kept: list[Fee] = []
    taken: set[Row] = set()
    for start in range(0, len(lines), limits.BILL_LINES_AT_ONCE):
        for line, ours in _pairs(account, day, lines[start : start + limits.BILL_LINES_AT_ONCE], taken):
            if ours and not _agree(line, ours):
                _ask_again(ours)
                ours.refresh_from_db()
            if mismatch := _against(line, ours):
                found.append(mismatch)
            if mismatch and ours is None:
                ours = _keep(mismatch, account, day, line)
            if ours:
                kept.extend(fees.of_line(account, day, line, ours))
    of_disputes = [line for line in told if line.about == "dispute"]
    of_ours = disputes.hear_from_bill(account, of_disputes)
    kept.extend(fees.of_disputes(account, day, of_disputes, of_ours))
    fees.write(kept)
    found.extend(_strange_disputes(account, [line for line in of_disputes if line.provider_ref not in of_ours]))
    for kind in (Payment, Refund):
        kind._default_manager.filter(pk__in=[row.pk for row in taken if isinstance(row, kind)]).update(billed_on=day)
    now = clock.now()
    done: dict[str, Any] = {"compared_at": now, "next_attempt_at": None, "error": ""}
    BillDay.objects.update_or_create(account=account, day=day, defaults=done)
    found.extend(_missing_there(account, day))
    for mismatch in found:
        mismatch.account, mismatch.day, mismatch.found_at = account, day, now
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


def span(account: ProviderAccount, day: date) -> tuple[datetime, datetime]:
    """When a day of the provider's calendar begins and ends."""
    start = datetime.combine(day, time.min, registry.get(account.provider).zone)
    return start, start + timedelta(days=1)


def _lines(account: ProviderAccount, day: date) -> list[BillLine]:
    """The bill. That there is none is believed of a day that is well over, and on which we know of nothing either."""
    try:
        with calling(account, limits.BILL_SECONDS) as (provider, data):
            return list(provider.bill(data, day))
    except NoBill:
        start, end = span(account, day)
        that_day = Q(
            account=account, succeeded_at__gte=start + limits.BILL_EDGE, succeeded_at__lt=end - limits.BILL_EDGE
        )
        if clock.now() < end + limits.NO_BILL_IS_EMPTY_AFTER or _any(that_day):
            raise
        return []


def _any(rows: Q) -> bool:
    return Payment.objects.filter(rows).exists() or Refund.objects.filter(rows).exists()


def _pairs(
    account: ProviderAccount, day: date, lines: Iterable[BillLine], taken: set[Row]
) -> Iterator[tuple[BillLine, Row | None]]:
    """Each line with the row of ours that it alone stands for, if there is one."""
    rows = {kind: _Rows(account, kind, [line for line in lines if line.about == kind]) for kind in ("charge", "refund")}
    for line in lines:
        ours = rows[line.about].of(line)
        moved = line.state in (State.SUCCEEDED, State.PENDING)
        if ours and moved and (ours in taken or ours.billed_on not in (None, day)):
            ours = None
        if ours and moved:
            taken.add(ours)
        yield line, ours


class _Rows:
    """The rows of ours that some lines may stand for, read at once."""

    def __init__(self, account: ProviderAccount, about: str, lines: list[BillLine]) -> None:
        references = [line.reference for line in lines if line.reference]
        numbers = [line.provider_ref for line in lines if line.provider_ref]
        kind: type[Payment] | type[Refund] = Payment if about == "charge" else Refund
        rows: Iterable[Row] = kind._default_manager.select_related("account").filter(
            Q(reference__in=references) | Q(provider_ref__in=numbers), account=account
        )
        self.about = about
        self.by_reference = {row.reference: row for row in rows}
        self.by_number = {row.provider_ref: row for row in rows if row.provider_ref}

    def of(self, line: BillLine) -> Row | None:
        """A charge by the provider's own number first: two charges of one attempt share our reference. A refund by its
        own reference first: at Alipay all of a trade share the provider's number (A10).
        """
        numbered, referred = self.by_number.get(line.provider_ref), self.by_reference.get(line.reference)
        if self.about == "refund":
            return referred if line.reference else numbered
        if referred and referred.provider_ref and line.provider_ref:
            referred = None  # that one was charged under another number
        return numbered or referred


def _ask_again(ours: Row) -> None:
    try:
        if isinstance(ours, Payment):
            with calling(ours.account) as (provider, account):
                outcome = provider.fetch(account, ours.reference, ours.provider_session)
            reconcile.apply(ours, outcome)
        else:
            refunds.apply(ours, refunds.ask(ours))
    except Exception as error:  # whatever it is, the difference is reported
        logger.warning("%s could not be asked about: %s", ours, error)


def _keep(mismatch: BillMismatch, account: ProviderAccount, day: date, line: BillLine) -> Refund | None:
    """What only the wallet knows of: a refund by hand becomes one of our refunds; what cannot, and money, becomes an
    orphan that support books, sends back or puts away. The mismatch says which.
    """
    payment = outside.charged(account, line.charge, line.charge_ref) if line.about == "refund" else None
    number = line.reference or line.provider_ref
    if payment and payment.amount_captured:
        try:
            refund = outside.book_refund(payment.pk, number, line.amount, provider_ref=line.provider_ref)
        except Refused as refused:
            logger.warning("%s of %s: %s", number, payment, refused)
        else:
            Refund.objects.filter(pk=refund.pk).update(billed_on=day)
            mismatch.ours = f"{refund} booked"
            return refund
    fees.keep(mismatch, line.fee)
    orphan = inbox.keep_from_bill(account, line)
    mismatch.ours = f"orphan {orphan.pk}" if orphan else ""
    return None


def _strange_disputes(account: ProviderAccount, lines: list[BillLine]) -> Iterator[BillMismatch]:
    """Disputes that name no money we know, with what was kept for them. Each is a notification from now on: of an
    orphan it waits as that does, of a second charge it is tried until that is known. One that is of nothing of ours,
    as a shop's other business is, puts its mismatch right.
    """
    kept = fees.each_dispute(lines)
    for number, line in {line.provider_ref: line for line in lines}.items():
        event = inbox.keep_dispute_from_bill(account, line)
        told = f"{line.amount} {line.state}"
        mismatch = BillMismatch(kind=Kind.MISSING_HERE, about=line.about, provider_ref=number, theirs=told)
        mismatch.ours = f"orphan {event.pk}"
        fees.keep(mismatch, kept.get(number))
        if event.applied_at or event.put_away_at:
            mismatch.settled_at, mismatch.note = clock.now(), event.note or "It is about nothing of ours."
        yield mismatch


def _booked(ours: Row) -> Money:
    return ours.captured if isinstance(ours, Payment) else ours.money


def _agree(line: BillLine, ours: Row) -> bool:
    """Whether our status may go with the line: what was under way when the bill was made may be done by now."""
    if line.state == State.PENDING:
        return ours.status != "failed"
    return (line.state == State.SUCCEEDED) == (ours.status == "succeeded")


def _against(line: BillLine, ours: Row | None) -> BillMismatch | None:
    theirs = f"{line.amount} {line.state}"
    mismatch = BillMismatch(about=line.about, reference=line.reference, provider_ref=line.provider_ref, theirs=theirs)
    if ours is None:
        mismatch.kind = Kind.MISSING_HERE
        return mismatch if line.state == State.SUCCEEDED else None
    mismatch.ours = f"{_booked(ours)} {ours.status}"
    if not _agree(line, ours):
        mismatch.kind = Kind.STATUS
    elif line.state == State.SUCCEEDED and line.amount != _booked(ours):
        mismatch.kind = Kind.AMOUNT
    else:
        return None
    return mismatch


def _missing_there(account: ProviderAccount, day: date) -> list[BillMismatch]:
    """What we booked as done up to that day and no bill speaks of.

    A row is missed only where every bill from its beginning to its success was seen: we hear of money when it was
    booked, or days later. What was done near midnight is looked for on the next day's bill as well.
    """
    start, end = span(account, day)
    zone = start.tzinfo
    done = Q(
        account=account,
        billed_on=None,
        succeeded_at__gte=start - limits.BILL_LOOK_BACK,
        succeeded_at__lt=end - limits.BILL_EDGE,
    )
    seen = set(
        BillDay.objects.filter(
            account=account, compared_at__isnull=False, day__gt=day - limits.BILL_LOOK_BACK - timedelta(days=2)
        ).values_list("day", flat=True)
    )
    missing = []
    for row in [*Payment.objects.filter(done), *Refund.objects.filter(done)]:
        assert row.succeeded_at
        last = row.succeeded_at.astimezone(zone).date()
        first = max(row.created_at.astimezone(zone).date(), day - limits.BILL_LOOK_BACK)
        if all(first + timedelta(days=n) in seen for n in range((last - first).days + 1)) and not _known(row):
            missing.append(row)
    return [
        BillMismatch(
            kind=Kind.MISSING_THERE,
            about=fees.about(row),
            reference=row.reference,
            provider_ref=row.provider_ref,
            ours=f"{_booked(row)} {row.status}",
        )
        for row in missing
    ]


def _known(row: Row) -> bool:
    """Whether a bill had spoken of a row before we had it, as of an orphan counted later; that is put right."""
    told = fees.told_before(row)
    earlier = told.first()
    if earlier is None:
        return False
    type(row)._default_manager.filter(pk=row.pk).update(billed_on=earlier.day)
    fees.book_kept(row)
    told.filter(settled_at=None).update(settled_at=clock.now(), note=f"{row} was booked later")
    return True
