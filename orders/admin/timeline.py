"""The timeline: each event type's sentence. Whoever knows a type adds its sentence here."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from friendpay.admin_kit.cells import Cell, Panel, moment, money
from friendpay.kit import desk_limits
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


@dataclass(frozen=True)
class Entry:
    """A row of the timeline: when, who did what, what it is about, how much moved, and whether the shop was told."""

    at: datetime
    who: str
    what: Cell
    about: Cell = ""
    amount: Cell = ""
    told: Cell = ""


def before(event: Event) -> str:
    """The type of what happened to the same thing before; "" where nothing did, or the event stands alone."""
    return str(vars(event).get("before", ""))


def in_order(events: Iterable[Event]) -> list[Event]:
    """The events, each knowing what came `before` it: what contradicts that can then be told rightly."""
    found, latest = list(events), dict[str, str]()
    if found and "before" in vars(found[0]):
        return found  # a part of a whole that was put in order
    for event in found:
        vars(event)["before"] = latest.get(event.object_id, "")
        latest[event.object_id] = event.type
    for event, following in zip(found, found[1:], strict=False):
        beside = (
            following.created_at - event.created_at < desk_limits.EVENTS_AT_ONCE and following.request == event.request
        )
        vars(event)["after"] = following.type if beside else ""
    return found


def at_once(event: Event) -> str:
    """The type of what happened to the request in the same moment, just after it; "" where nothing is known."""
    return str(vars(event).get("after", ""))


def entries(
    events: Iterable[Event], about: Mapping[str, Cell] | None = None, told: Mapping[int, Cell] | None = None
) -> list[Entry]:
    """The events as rows. `about` says what is shown of the things they are about, by id; `told` what became of telling
    the shop of an event.
    """
    about, told = about or {}, told or {}
    return [
        Entry(
            event.created_at,
            who(event),
            sentence(event),
            about.get(event.object_id) or about.get(event.data.get("refund", ""), ""),
            how_much(event),
            told.get(event.pk, ""),
        )
        for event in in_order(events)
    ]


def panel(rows: Iterable[Entry]) -> Panel:
    """The rows as a table, in the order of time."""
    headers = (_("Time"), _("Who"), _("What happened"), _("About"), _("Amount"), _("Shop told"))
    ordered = sorted(rows, key=lambda row: row.at)
    cells = [(moment(it.at), it.who, it.what, it.about, it.amount, it.told) for it in ordered]
    return Panel(_("What happened"), headers, cells, flows=True)


def timeline(events: Iterable[Event]) -> Panel:
    """The events as a table, in their order."""
    return panel(entries(events))
