"""An order's timeline: its events, what wallets wrote, mails, and what staff did, each beside whom it is about."""

from collections import defaultdict
from collections.abc import Iterator

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q
from django.utils.functional import Promise, cached_property
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from friendpay.admin_kit.cells import Cell, Panel, labelled, link
from friendpay.kit import clock
from orders.admin import timeline
from orders.admin.delivery import state_of
from orders.admin.timeline import Entry
from orders.models import Event, Order, WebhookDelivery
from payments.admin import parts
from payments.admin.inbox import says
from payments.models import Mail, Payment, PaymentRequest, ProviderEvent, Refund

MAILS: dict[str, "str | Promise"] = {
    Mail.Kind.PAID: gettext_lazy("it is paid"),
    Mail.Kind.DECLINED: gettext_lazy("a friend said no"),
    Mail.Kind.EXPIRED: gettext_lazy("the time is over"),
    Mail.Kind.REFUNDED: gettext_lazy("the shop refunded"),
    Mail.Kind.RECEIPT: gettext_lazy("a receipt"),
    Mail.Kind.RETURNED: gettext_lazy("the money went back"),
    Mail.Kind.THANKED: gettext_lazy("a thank-you"),
    Mail.Kind.REMINDER: gettext_lazy("a reminder"),
}


class Story:
    """All that happened to an order. Each table is read once, however much did."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.shows_rules = False  # whether whoever reads it may see the shop's rules

    @classmethod
    def of(cls, order: Order) -> "Story":
        """Read once for each reading of the order."""
        story: Story = vars(order).setdefault("story", cls(order))
        return story

    @cached_property
    def payments(self) -> list[Payment]:
        """Every attempt on the order, numbered in the order in which they began."""
        found = Payment.objects.filter(request__order=self.order).select_related("request__order", "account")
        payments = list(found.order_by("id"))
        for number, payment in enumerate(payments, 1):
            vars(payment)["number"] = number
        return payments

    @cached_property
    def refunds(self) -> list[Refund]:
        known = {payment.pk: payment for payment in self.payments}
        refunds = list(Refund.objects.filter(payment__in=list(known)).select_related("account").order_by("id"))
        for refund in refunds:
            refund.payment = known[refund.payment_id]
        return refunds

    def panel(self, about: Payment | Refund | None = None) -> Panel:
        """The timeline; of one payment or refund alone where that is given."""
        if about is None:
            rows = [*self._events(), *self._notifications(), *self._mails(), *self._staff()]
        else:
            ids = {about.public_id} | {it.public_id for it in self.refunds if it.payment_id == about.pk}
            rows = list(self._events(ids if isinstance(about, Payment) else {about.public_id}))
        return timeline.panel(rows)

    @cached_property
    def _about(self) -> dict[str, Cell]:
        """What is shown of each payment and refund, by its id."""
        shown: dict[str, Cell] = {it.public_id: link(it, parts.numbered(it)) for it in self.payments}
        return shown | {it.public_id: link(it, parts.numbered(it.payment)) for it in self.refunds}

    @cached_property
    def _written(self) -> list[ProviderEvent]:
        """What wallets wrote of these payments and refunds."""
        named: list[Payment | Refund] = [*self.payments, *self.refunds]
        references = {it.reference for it in named} | {old for it in self.refunds for old in it.past_references}
        accounts = {it.account_id for it in named}
        found = ProviderEvent.objects.filter(account__in=accounts, reference__in=references)
        return list(found.defer("body").order_by("id")) if named else []

    def _events(self, only: set[str] | None = None) -> list[Entry]:
        events = list(self.order.events.order_by("id"))
        refunds = {refund.public_id: refund for refund in self.refunds}
        for event in events:
            vars(event)["refund"] = refunds.get(event.object_id)
            vars(event)["unheard"] = event.type == "payment.succeeded" and self._was_found_by_asking(event, events)
        ordered = timeline.in_order(events)
        if only is not None:
            ordered = [event for event in ordered if event.object_id in only]
        return timeline.entries(ordered, self._about, self._told(ordered))

    def _was_found_by_asking(self, event: Event, events: list[Event]) -> bool:
        """Whether no notification of a payment had come when its money was counted."""
        if any(it.type == "payment.adopted" and it.object_id == event.object_id for it in events):
            return False
        names = event.data.get("reference"), event.data.get("provider_reference")
        return not any(
            it.received_at <= event.created_at
            and (it.reference == names[0] or (it.outcome or {}).get("provider_ref") == names[1])
            for it in self._written
        )

    def _told(self, events: list[Event]) -> dict[int, SafeString]:
        """What became of telling the shop, by event."""
        deliveries = defaultdict[int, list[SafeString]](list)
        for delivery in WebhookDelivery.objects.filter(event__in=events).order_by("id"):
            deliveries[delivery.event_id].append(link(delivery, state_of(delivery)))
        return {event: format_html_join(" ", "{}", ((it,) for it in links)) for event, links in deliveries.items()}

    def _notifications(self) -> Iterator[Entry]:
        named: list[Payment | Refund] = [*self.payments, *self.refunds]
        by_reference = {it.reference: self._about[it.public_id] for it in named}
        for written in self._written:
            what = labelled(link(written, _("The wallet wrote")), says(written))
            yield Entry(written.received_at, _("Wallet"), what, by_reference.get(written.reference, ""))

    def _mails(self) -> Iterator[Entry]:
        for mail in Mail.objects.filter(to__order=self.order).select_related("to__payment").order_by("id"):
            to = mail.to.veiled if mail.to.address and mail.to.subscription is None else _("a browser or address")
            words = {"what": MAILS.get(mail.kind, mail.kind), "to": to, "error": mail.error}
            if mail.sent_at:
                what = _("Told %(to)s: %(what)s.") % words
            elif mail.error:
                what = _("To be told to %(to)s: %(what)s. The last try failed: %(error)s") % words
            else:
                what = _("To be told to %(to)s: %(what)s.") % words
            about = self._about.get(mail.to.payment.public_id, "") if mail.to.payment else ""
            yield Entry(mail.sent_at or mail.next_attempt_at or clock.now(), _("Mail"), what, about)

    def _staff(self) -> Iterator[Entry]:
        """What staff did at the desk, with the reasons they gave."""
        things: dict[type[Model], dict[str, str]] = {
            Order: {str(self.order.pk): ""},
            PaymentRequest: {str(pk): "" for pk in self.order.payment_requests.values_list("pk", flat=True)},
            Payment: {str(it.pk): it.public_id for it in self.payments},
            Refund: {str(it.pk): it.public_id for it in self.refunds},
        }
        types = {ContentType.objects.get_for_model(model).pk: its for model, its in things.items()}
        named = Q(pk=None)
        for kind, its in types.items():
            named |= Q(content_type=kind, object_id__in=list(its))
        for entry in LogEntry.objects.filter(named).select_related("user").order_by("id"):
            about = self._about.get(types[entry.content_type_id or 0][entry.object_id or ""], "")
            who = _("Support: %(name)s") % {"name": entry.user.get_username()}
            yield Entry(entry.action_time, who, entry.get_change_message(), about)
