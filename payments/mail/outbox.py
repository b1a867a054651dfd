"""The mail outbox: mail that people asked for, written in the transaction of the event it tells of. `sending.py` sends
it. An address is forgotten as soon as nothing more is due to it.
"""

from functools import partial
from itertools import product

from django.conf import settings
from django.db import transaction
from django.db.models import Model, QuerySet

from friendpay.kit import clock, limits
from friendpay.kit.background import enqueue
from friendpay.kit.keys import among
from orders.models import Event
from payments.models import Mail, MailAddress, Payment, PaymentRequest, Refund

Kind, Role = Mail.Kind, MailAddress.Role


_ENDS = {"payment_request.paid", "payment_request.expired", "payment_request.cancelled"}
_TO_BUYER = {
    "payment_request.paid": Kind.PAID,
    "payment_request.declined": Kind.DECLINED,
    "payment_request.expired": Kind.EXPIRED,
    "refund.succeeded": Kind.REFUNDED,
    "refund.returned_elsewhere": Kind.REFUNDED,
}
_TO_PAYER = {
    "payment.succeeded": Kind.RECEIPT,
    "payment_request.thanked": Kind.THANKED,
    "refund.succeeded": Kind.RETURNED,
    "refund.returned_elsewhere": Kind.RETURNED,
}


def offered() -> bool:
    """Whether a page may ask for an address: only where a mail server is there to write to it."""
    return bool(settings.MAIL_TO_PEOPLE)


Told = list[tuple[Event, Model | None]]

_ASKED = "SELECT id FROM payments_mailaddress WHERE address <> '' AND order_id IN (SELECT order_id FROM {source})"


def add_mail(told: Told, request: PaymentRequest) -> None:
    """Write down who is to be told of these events, in their transaction, each with the payment or refund it is about;
    drop the reminders that they make needless. The statement that writes the events looks whether anybody is to be.
    """
    told = [(event, about) for event, about in told if event.type in _ENDS | _TO_BUYER.keys() | _TO_PAYER.keys()]
    if told:
        request.writes.draw(_ASKED, Event, lambda keys: _add_mail(told, request, keys))


def _add_mail(told: Told, request: PaymentRequest, keys: list[int]) -> None:
    rows = MailAddress.objects.filter(pk__in=among(keys)).select_related("payment") if keys else []
    for row, (event, about) in product(rows, told):
        if row.role == Role.FRIEND:
            if row.request_id == request.pk and _settles(event, row, about):
                forget(MailAddress.objects.filter(pk=row.pk))
        elif kind := _kind(event, row, request, about):
            add_one(row, kind, event)


def add_mail_of_many(type: str, request_ids: list[int], event_of: dict[int, int]) -> None:
    """The same for many requests that ended at once; `event_of` says which event tells of which order."""
    rows = MailAddress.objects.filter(order__in=among(event_of)).exclude(address="")
    buyers = list(rows.filter(role=Role.BUYER)) if type in _TO_BUYER else []
    if buyers:
        now, kind = clock.now(), _TO_BUYER[type]
        mails = [Mail(to=row, event_id=event_of[row.order_id], kind=kind, next_attempt_at=now) for row in buyers]
        Mail.objects.bulk_create(mails)
        transaction.on_commit(partial(enqueue, "payments.sweep_mail"))
    if reminded := list(rows.filter(role=Role.FRIEND, request__in=among(request_ids)).values_list("pk", flat=True)):
        forget(MailAddress.objects.filter(pk__in=among(reminded)))


def add_one(row: MailAddress, kind: str, event: Event) -> None:
    """Write down that this address is to be told of this event, once."""
    Mail.objects.get_or_create(to=row, event=event, defaults={"kind": kind, "next_attempt_at": clock.now()})
    transaction.on_commit(partial(enqueue, "payments.sweep_mail"))


@transaction.atomic
def send_again(mail_id: int) -> None:
    """Send a mail once more, with the id it always had. Nothing where its address is forgotten."""
    mail = Mail.objects.select_related("to").select_for_update(of=("self",), no_key=True).get(pk=mail_id)
    if mail.to.address:
        mail.sent_at, mail.next_attempt_at, mail.attempts, mail.error = None, clock.now(), 0, ""
        mail.save(update_fields=["sent_at", "next_attempt_at", "attempts", "error"])
        transaction.on_commit(partial(enqueue, "payments.sweep_mail"))


def _settles(event: Event, row: MailAddress, about: Model | None) -> bool:
    """Whether nobody need remind this friend any more."""
    paid = event.type == "payment.succeeded" and isinstance(about, Payment) and about.visitor == row.visitor
    return event.type in _ENDS or paid


def _kind(event: Event, row: MailAddress, request: PaymentRequest, about: Model | None) -> str:
    """Which mail the event means for this address, "" for none."""
    if row.role == Role.BUYER:
        kind = _TO_BUYER.get(event.type, "")
        by_shop = isinstance(about, Refund) and about.reason == Refund.Reason.MERCHANT
        if kind == Kind.REFUNDED and not by_shop:
            return ""  # parts that go back are part of "expired"; money nobody needed is the payer's business alone
        enough = kind == Kind.DECLINED and row.mails.filter(kind=kind).count() >= limits.MAILS_OF_DECLINES
        return "" if enough else kind
    payment = row.payment
    kind = _TO_PAYER.get(event.type, "")
    if payment is None or not kind:
        return ""
    if kind == Kind.THANKED:
        thanked = payment.request_id == request.pk and payment.amount_applied and not payment.by_buyer
        return kind if thanked else ""
    mine = about.payment_id if isinstance(about, Refund) else about.pk if about else None
    return kind if mine == payment.pk else ""


def forget(rows: QuerySet[MailAddress]) -> None:
    """Send nothing more to these, and keep no address of them."""
    Mail.objects.filter(to__in=rows, sent_at=None).delete()
    rows.update(address="", subscription=None)


def forget_visitor(request: PaymentRequest, visitor: str) -> None:
    """A friend has said no: no reminder after that."""
    if visitor:
        forget(MailAddress.objects.filter(role=Role.FRIEND, request=request, visitor=visitor))


@transaction.atomic
def stop(row: MailAddress) -> None:
    """Whoever reads this address wants no mail of ours: none is sent for half a year. Repeating is fine."""
    now = clock.now()
    rows = MailAddress.objects.filter(digest=row.digest)
    forget(rows)
    rows.update(stopped_at=now, ends_at=now + limits.MAIL_STOPPED_FOR)


def purge() -> None:
    """Forget whatever is kept for nothing any more."""
    MailAddress.objects.filter(ends_at__lte=clock.now()).delete()
