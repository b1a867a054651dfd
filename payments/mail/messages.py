"""Mail templates: what our mails say. One message is one heading, a few sentences, facts and one button; text and HTML
are made of the same. Nothing the buyer wrote is in them: whoever gave an address may not be its owner.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from friendpay.kit import amounts, quantities
from friendpay.kit.money import Money
from friendpay.kit.templatetags.times import written
from orders.models import Order
from payments.models import Mail, MailAddress
from payments.offers import weighing
from payments.share import phrases, receipt_numbers, text

Kind = Mail.Kind


@dataclass(frozen=True)
class Message:
    """What is written to somebody."""

    subject: str
    sentences: list[str]
    button: str
    url: str
    facts: list[tuple[str, str]] = field(default_factory=list)


def write(mail: Mail) -> Message:
    """The message for a mail, in the language its address was given in."""
    with override(mail.to.language):
        return _MESSAGES[mail.kind](mail)


def render(message: Message, row: MailAddress, stop_url: str) -> tuple[str, str]:
    """A message as text and as HTML."""
    with override(row.language):
        given = {"message": message, "shop": row.order.merchant, "stop_url": stop_url}
        return render_to_string("mail/message.txt", given), render_to_string("mail/message.html", given)


def _shop(mail: Mail) -> str:
    return " ".join(mail.to.order.merchant.name.split())


def _sum(amount: int, currency: str) -> str:
    return amounts.text(Money(amount, currency))


def _told(mail: Mail) -> str:
    """The amount the mail's event is about."""
    data = mail.event.data if mail.event else {}
    return _sum(data["amount"], data["currency"])


def _buyers_page(mail: Mail) -> str:
    return f"{settings.PUBLIC_URL}{reverse('buyer', args=[mail.to.order.token])}"


def _receipt_page(mail: Mail) -> str:
    assert mail.to.payment
    return f"{settings.PUBLIC_URL}{reverse('receipt', args=[mail.to.payment.token])}"


def _paid(mail: Mail) -> Message:
    return Message(
        _("Your order at %(shop)s is paid") % {"shop": _shop(mail)},
        [_("%(sum)s is paid, and %(shop)s has your order.") % {"sum": _told(mail), "shop": _shop(mail)}],
        _("See your order"),
        _buyers_page(mail),
        [(_("Order"), mail.to.order.reference)],
    )


def _declined(mail: Mail) -> Message:
    said = [_("A friend you asked can't pay for your order at %(shop)s this time.") % {"shop": _shop(mail)}]
    if weighing.can_be_paid(mail.to.order):
        said.append(_("Your link still works: send it to someone else, or pay yourself."))
    return Message(
        _("A friend can't pay this time"),
        said,
        _("Open your request"),
        _buyers_page(mail),
    )


def _expired(mail: Mail) -> Message:
    order = mail.to.order
    if order.status == Order.Status.EXPIRED:
        after = _("Anything friends have paid is refunded. The order itself has expired too.")
    elif weighing.may_ask_somewhere(order):
        after = _("Anything friends have paid is refunded. You can ask again.")
    else:
        after = _("Anything friends have paid is refunded.")
    return Message(
        _("Your request has expired"),
        [_("Your request at %(shop)s has expired, and the link no longer works.") % {"shop": _shop(mail)}, after],
        _("See your order"),
        _buyers_page(mail),
    )


def _refunded(mail: Mail) -> Message:
    return Message(
        _("Refund from %(shop)s") % {"shop": _shop(mail)},
        [_("%(sum)s of your order was refunded to whoever paid it.") % {"sum": _told(mail)}],
        _("See your order"),
        _buyers_page(mail),
        [(_("Order"), mail.to.order.reference)],
    )


def _receipt(mail: Mail) -> Message:
    payment = mail.to.payment
    assert payment
    facts = [
        (_("You paid"), _sum(payment.amount_captured, payment.currency)),
        (_("Shop"), _shop(mail)),
        (_("With"), str(weighing.label(payment.method, payment.account))),
        (_("When"), written(payment.succeeded_at) if payment.succeeded_at else ""),
        (_("Receipt no."), receipt_numbers.number(payment.pk)),
    ]
    for line in mail.to.order.lines.all():
        quantity = quantities.text(line.quantity, line.unit, mail.to.language)
        facts.append((f"{line.name} {quantity}".strip(), _sum(line.amount, payment.currency)))
    facts += _adjusted(mail.to.order)
    return Message(
        _("Your receipt from %(shop)s") % {"shop": _shop(mail)},
        [_("Thank you! Refunds go back to the wallet you paid with.")],
        _("Your receipt"),
        _receipt_page(mail),
        facts,
    )


def _adjusted(order: Order) -> list[tuple[str, str]]:
    """The rest of a receipt: what the sum has beside the goods, the sum, and what is in it."""
    if not order.adjusted:
        return []
    beside = [(it.name, _sum(it.amount, order.currency)) for it in order.adjusted if not it.included]
    within = [
        (_("Includes %(name)s") % {"name": it.name}, _sum(it.amount, order.currency))
        for it in order.adjusted
        if it.included
    ]
    return [*beside, (_("Total"), _sum(order.amount, order.currency)), *within]


def _returned(mail: Mail) -> Message:
    data = mail.event.data if mail.event else {}
    why = phrases.WHY_RETURNED.get(data.get("reason", ""))
    if how := data.get("returned_how"):
        came = _("%(shop)s has returned %(sum)s to you by other means than the wallet: %(how)s")
    else:
        came = _("%(sum)s is back in the wallet you paid with.")
    return Message(
        _("Your money has been returned"),
        [
            came % {"shop": _shop(mail), "sum": _told(mail), "how": how},
            *([str(why)] if why else []),
        ],
        _("See your receipt"),
        _receipt_page(mail),
    )


def _thanked(mail: Mail) -> Message:
    data = mail.event.data if mail.event else {}
    name = phrases.first_name(mail.to.order.buyer_name)
    chosen = phrases.said({"choice": data.get("choice", "")})
    return Message(
        _("%(name)s says thank you") % {"name": name},
        [f"“{chosen}”" if chosen else _("%(name)s wrote you a note. It's on your receipt.") % {"name": name}],
        _("See your receipt"),
        _receipt_page(mail),
    )


def _reminder(mail: Mail) -> Message:
    request = mail.to.request
    name, shop = phrases.first_name(mail.to.order.buyer_name), _shop(mail)
    return Message(
        _("Your reminder: a payment at %(shop)s") % {"shop": shop},
        [
            _("%(name)s is still waiting for help with a payment at %(shop)s.") % {"name": name, "shop": shop},
            _("The link works until %(moment)s. If you can't help, that's fine too.")
            % {"moment": written(request.expires_at)},
        ],
        _("Open the request"),
        text.share_link(request, mail.to.share),
    )


_MESSAGES: dict[str, Callable[[Mail], Message]] = {
    Kind.PAID: _paid,
    Kind.DECLINED: _declined,
    Kind.EXPIRED: _expired,
    Kind.REFUNDED: _refunded,
    Kind.RECEIPT: _receipt,
    Kind.RETURNED: _returned,
    Kind.THANKED: _thanked,
    Kind.REMINDER: _reminder,
}
