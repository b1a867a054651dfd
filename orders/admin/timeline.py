"""The timeline: each event type's sentence. Whoever knows a type adds its sentence here."""

from collections.abc import Callable, Iterable

from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from friendpay.admin_kit.cells import Panel, moment, money
from orders.models import Event

Say = Callable[[Event], str]

SENTENCES: dict[str, "Promise | Say"] = {
    "order.created": gettext_lazy("The order was placed."),
    "order.changed": gettext_lazy("The goods or the price were changed."),
    "order.paid": gettext_lazy("The order is paid."),
    "order.reopened": gettext_lazy("The shop took back that it was paid elsewhere."),
    "order.cancelled": gettext_lazy("The order was cancelled."),
    "order.expired": gettext_lazy("The order's time was over, and it was not paid."),
    "order.refunded": gettext_lazy("Money of a refund arrived at the payer."),
    "order.refund_reopened": gettext_lazy("A refund that was confirmed came back: it is owed again."),
    "webhook_endpoint.pinged": gettext_lazy("A test was sent to a webhook endpoint."),
}
"""Each event type's sentence, or what makes one of the event."""

ACTORS: dict[str, Promise] = {
    "buyer": gettext_lazy("Buyer"),
    "payer": gettext_lazy("Payer"),
    "merchant": gettext_lazy("Shop"),
    "provider": gettext_lazy("Wallet"),
    "system": gettext_lazy("friendpay"),
}


def sentence(event: Event) -> str:
    """What the event says; its type's name where nobody has put it into words."""
    say = SENTENCES.get(event.type, event.type)
    return say(event) if callable(say) else str(say)


def who(event: Event) -> str:
    """Who did it."""
    kind, _colon, name = event.actor.partition(":")
    if kind == "support":
        return _("Support: %(name)s") % {"name": name}
    return str(ACTORS.get(kind, event.actor))


SUMS: dict[str, tuple[str, str]] = {
    "order.refunded": ("refund_amount", "currency"),
    "order.refund_reopened": ("refund_amount", "currency"),
}
"""The names of the sum an event tells of and of its currency, where that is not its `amount`: what moved, not what was
asked for.
"""


def how_much(event: Event) -> SafeString | str:
    """The amount the event is about; "" where it is not known."""
    name, currency = SUMS.get(event.type, ("amount", "currency"))
    known = name in event.data and currency in event.data
    return money(event.data[name], event.data[currency]) if known else ""


def timeline(events: Iterable[Event]) -> Panel:
    """The events as a table, in their order."""
    headers = (_("Time (UTC)"), _("Who"), _("What happened"), _("Amount"))
    rows = ((moment(event.created_at), who(event), sentence(event), how_much(event)) for event in events)
    return Panel(_("What happened"), headers, list(rows), flows=True)
