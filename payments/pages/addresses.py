"""Taking e-mail addresses: what for, how often, and from whom. Nobody has to give one, and nobody can make us write to
strangers: whoever gives an address is counted, so is the address, and those who stopped our mail are left alone.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, limits
from friendpay.kit.digests import digest
from friendpay.kit.errors import Refused
from orders.models import Event
from payments.mail import outbox, pushing, reminders
from payments.models import Mail, MailAddress, Payment, PaymentRequest
from payments.settlement import rules
from payments.settlement.locks import lock_payment, lock_request

Role = MailAddress.Role

_SAME_HOSTS = {
    "googlemail.com": "gmail.com",
    "protonmail.com": "proton.me",
    "pm.me": "proton.me",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "ya.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
}
_WITHOUT_DOTS = ("gmail.com", "proton.me")


@dataclass(frozen=True)
class Giver:
    """Who types an address; `visitor` and `network` are hashes."""

    address: str
    language: str
    visitor: str
    network: str
    subscription: dict[str, str] | None = None  # of a browser that is told by push; `address` is its push service

    @property
    def digest(self) -> str:
        """What is kept when it is forgotten: enough to know it again, too little to write to."""
        return digest("payments.push", self.subscription["endpoint"]) if self.subscription else digest_of(self.address)


@transaction.atomic
def tell_buyer(request_id: int, giver: Giver) -> None:
    """Write to the buyer when the order is paid, a friend declines, the time is over or money goes back.

    Another address takes the place of the first; each of her browsers is told by push.
    """
    _order, request = lock_request(request_id)
    now = clock.now()
    rules.check_request_open(request, now)
    earlier = MailAddress.objects.filter(role=Role.BUYER, order=request.order_id)
    earlier = earlier.filter(digest=giver.digest) if giver.subscription else earlier.filter(subscription__isnull=True)
    _remember(Role.BUYER, request, giver, now, now + limits.ADDRESS_KEPT_FOR, earlier)


@transaction.atomic
def mail_receipt(payment_id: int, giver: Giver) -> None:
    """Send the payer the receipt, now or once the wallet has confirmed; later the news of refunds and the thank-you."""
    _order, request, payment = lock_payment(payment_id)
    now = clock.now()
    earlier = MailAddress.objects.filter(role=Role.PAYER, payment=payment)
    row = _remember(Role.PAYER, request, giver, now, now + limits.ADDRESS_KEPT_FOR, earlier, payment)
    paid = Event.objects.filter(
        request=request.public_id, object_id=payment.public_id, type="payment.succeeded"
    ).first()
    if paid:
        outbox.add_one(row, Mail.Kind.RECEIPT, paid)


@transaction.atomic
def remind(request_id: int, at: str, giver: Giver, share: str = "") -> None:
    """Write to a friend once, at one of the times on offer, if the request is still open then and the friend has
    neither paid nor declined; of the `share` with that number, where she looked at one. Another choice takes the place
    of the first.
    """
    _order, request = lock_request(request_id)
    now = clock.now()
    rules.check_request_open(request, now)
    chosen = next((time for time in reminders.choices(request, now) if time.key == at), None)
    if chosen is None:
        raise Refused(
            "no_such_time", _("There isn't that much time left. Please choose another time."), field="address"
        )
    own = MailAddress.objects.filter(role=Role.FRIEND, request=request, visitor=giver.visitor)
    if request.payments.filter(visitor=giver.visitor, status=Payment.Status.SUCCEEDED).exists():
        raise Refused("paid_already", _("You've already paid. There's nothing more to do."), field="address")
    same = MailAddress.objects.filter(role=Role.FRIEND, request=request, digest=giver.digest)
    if same.count() >= limits.REMINDERS_OF_A_MAILBOX:
        raise Refused("reminded_enough", _("We send at most two reminders for a request."), field="address", status=429)
    row = _remember(Role.FRIEND, request, giver, now, max(request.expires_at, now + limits.ADDRESSES_PERIOD), own)
    row.share = request.share_numbered(share)
    row.save(update_fields=["share"])
    Mail.objects.create(to=row, kind=Mail.Kind.REMINDER, next_attempt_at=chosen.moment)


def _remember(
    role: str,
    request: PaymentRequest,
    giver: Giver,
    now: datetime,
    ends_at: datetime,
    earlier: QuerySet[MailAddress],
    payment: Payment | None = None,
) -> MailAddress:
    digest = giver.digest
    _check(request, giver, digest, now)
    outbox.forget(earlier)
    return MailAddress.objects.create(
        role=role,
        order_id=request.order_id,
        request=request,
        payment=payment,
        address=giver.address,
        subscription=giver.subscription,
        digest=digest,
        language=giver.language,
        visitor=giver.visitor,
        network=giver.network,
        created_at=now,
        ends_at=ends_at,
    )


def _check(request: PaymentRequest, giver: Giver, digest: str, now: datetime) -> None:
    """Nobody makes us write to a stranger often, and nobody to one who has stopped it."""
    if not (pushing.offered() if giver.subscription else outbox.offered()):
        raise Refused("no_mail", _("We can't send email here."), field="address")
    if MailAddress.objects.filter(digest=digest, stopped_at__isnull=False).exists():
        raise Refused(
            "address_stopped",
            _("The owner of this address asked us not to email it."),
            field="address",
            status=422,
        )
    today = MailAddress.objects.filter(created_at__gt=now - limits.ADDRESSES_PERIOD)
    for given, most in (
        (today.filter(digest=digest), limits.ADDRESSES_OF_A_MAILBOX),
        (today.filter(network=giver.network, visitor=giver.visitor), limits.ADDRESSES_OF_A_VISITOR),
        (today.filter(network=giver.network).exclude(network=""), limits.ADDRESSES_OF_A_NETWORK),
        (today.filter(request=request), limits.ADDRESSES_OF_A_REQUEST),
    ):
        if given.count() >= most:
            raise Refused(
                "too_many_addresses",
                _("You've asked for this many times today. Please try again tomorrow."),
                field="address",
                status=429,
            )


@transaction.atomic
def stop_push(giver: Giver, order_id: int) -> None:
    """This browser is told nothing more of the order. Repeating is fine."""
    outbox.forget(MailAddress.objects.filter(order=order_id, digest=giver.digest, stopped_at=None))


def digest_of(address: str) -> str:
    """What is kept of an address when it is forgotten: enough to know its mailbox again, too little to write to."""
    return digest("payments.mail.outbox", mailbox_of(address))


def mailbox_of(address: str) -> str:
    """Where mail to an address arrives, however it is written: without its +tag and quotes, at some hosts without dots,
    under the one of several names that a host has. Limits and "stop" are a mailbox's.
    """
    name, _at, host = address.strip().lower().rpartition("@")
    if name.startswith('"') and name.endswith('"'):
        name = name[1:-1].replace("\\", "")
    name = name.partition("+")[0] or name
    with suppress(UnicodeError):
        host = host.encode("idna").decode("ascii")
    host = _SAME_HOSTS.get(host, host)
    return f"{name.replace('.', '') if host in _WITHOUT_DOTS else name}@{host}"
