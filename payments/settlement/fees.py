"""What a wallet kept, from the lines of its bills: written once for each line, with whatever payment it is of."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from django.db.models import Q, QuerySet

from friendpay.kit.money import Money
from payments.models import BillMismatch, Dispute, Fee, Payment, ProviderAccount, Refund
from payments.wallets.base import BillLine

Row = Payment | Refund
_ABOUT = {Payment: "charge", Refund: "refund", Dispute: "dispute"}


def about(row: Row | Dispute) -> str:
    """What a bill calls it."""
    return _ABOUT[type(row)]


def of_line(account: ProviderAccount, day: date, line: BillLine, ours: Row) -> list[Fee]:
    """What was kept for a line that stands for a row of ours; to be written, where anything was."""
    if not line.fee or not line.fee.minor:
        return []
    return [
        Fee(
            account=account,
            day=day,
            payment=ours if isinstance(ours, Payment) else ours.payment,
            about=line.about,
            reference=ours.reference,  # a second charge's own; on the bill it may have that of the first
            currency=line.fee.currency,
            amount=line.fee.minor,
        )
    ]


def of_disputes(account: ProviderAccount, day: date, lines: Sequence[BillLine], ours: dict[str, Dispute]) -> list[Fee]:
    """What was kept for each dispute of ours that day; to be written."""
    return [
        Fee(
            account=account,
            day=day,
            payment_id=ours[number].payment_id,
            about="dispute",
            reference=number,
            currency=fee.currency,
            amount=fee.minor,
        )
        for number, fee in each_dispute(lines).items()
        if number in ours
    ]


def each_dispute(lines: Sequence[BillLine]) -> dict[str, Money]:
    """What was kept for each dispute that day, all of its lines together, by its number; nothing for none."""
    kept = Counter[tuple[str, str]]()
    for line in lines:
        if line.fee:
            kept[line.provider_ref, line.fee.currency] += line.fee.minor
    return {number: Money(amount, currency) for (number, currency), amount in kept.items() if amount}


def write(fees: list[Fee]) -> None:
    """Those that are not written yet."""
    Fee.objects.bulk_create(fees, ignore_conflicts=True)


def keep(mismatch: BillMismatch, fee: Money | None) -> None:
    """What was kept for what stands for nothing of ours: for when its money is booked. The caller saves it."""
    if fee and fee.minor:
        mismatch.fee, mismatch.fee_currency = fee.minor, fee.currency


def told_before(row: Row | Dispute) -> QuerySet[BillMismatch]:
    """What bills said of a row before we had it."""
    number = Q(provider_ref=row.provider_ref)
    if isinstance(row, Refund):  # at some wallets all refunds of a charge share the provider's number
        number = Q(reference=row.reference) | Q(reference="", provider_ref=row.reference)
    missing = BillMismatch.Kind.MISSING_HERE
    return BillMismatch.objects.filter(number, account_id=row.account_id, about=about(row), kind=missing)


def book_kept(row: Row | Dispute) -> None:
    """What a wallet kept for a row that its bill had spoken of before we had it is booked now. Repeating is fine."""
    write(
        [
            Fee(
                account_id=told.account_id,
                day=told.day,
                payment=row if isinstance(row, Payment) else row.payment,
                about=told.about,
                reference=row.provider_ref if isinstance(row, Dispute) else row.reference,
                currency=told.fee_currency,
                amount=told.fee,
            )
            for told in told_before(row)
            if told.fee
        ]
    )
