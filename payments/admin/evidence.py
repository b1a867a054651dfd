"""The evidence pack of a dispute: one page that needs nothing from elsewhere, to print or to keep."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from friendpay.admin_kit.cells import labelled
from friendpay.kit.templatetags.money import amount
from orders import access
from orders.admin import timeline
from orders.models import Access, Order
from payments.admin import parts
from payments.books import evidence
from payments.books.evidence import Evidence
from payments.models import Dispute

Rows = list[tuple[Any, ...]]


def page(request: HttpRequest, dispute: Dispute) -> HttpResponse:
    """The pack. Who opened it is on record."""
    merchant_id = dispute.payment.merchant_id
    access.note(request.user.get_username(), Access.Kind.EVIDENCE, dispute.public_id, merchant_id=merchant_id)
    it = evidence.of(dispute)
    context = {
        "it": it,
        "facts": _facts(it),
        "spoken": labelled(_("Language"), format_html("<bdi>{}</bdi>", it.language or "-")),
        "sections": [part for part in _sections(it) if part[1]],
    }
    return TemplateResponse(request, "payments/admin/evidence.html", context)


def _time(moment: datetime | None) -> str:
    return _whole(f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}") if moment else ""


def _whole(text: str) -> SafeString:
    """On one line."""
    return format_html('<span class="whole">{}</span>', text)


def _facts(it: Evidence) -> Rows:
    dispute, payment, order, shop = it.dispute, it.payment, it.order, it.order.merchant
    answer = (dispute.get_status_display(), amount(dispute.amount, dispute.currency), dispute.code, dispute.words)
    return [
        (_("Dispute"), dispute.provider_ref, *answer),
        (_("Shop"), shop.name, shop.legal_name, shop.site, shop.contact),
        (_("Order"), order.reference, order.public_id, _time(order.created_at)),
        (_("Buyer"), order.buyer_name),
        (_("Payer"), parts.payer(payment)),
        (_("Payment"), payment.public_id, parts.wallet(payment), amount(payment.amount_captured, payment.currency)),
        (_("Paid"), _time(payment.succeeded_at)),
        (_("The wallet's number"), payment.provider_ref),
        (_("Our reference"), payment.reference),
        (_("Receipt"), it.receipt),
    ]


def _goods(order: Order) -> Rows:
    """As a receipt has them: what the sum is made of, the sum, and what is in it."""
    beside = [(it.name, it.amount) for it in order.adjusted if not it.included]
    within = [(_("Includes %(name)s") % {"name": it.name}, it.amount) for it in order.adjusted if it.included]
    goods = [(str(line), line.amount) for line in order.lines.all()]
    rows = [*goods, *beside, (_("Total"), order.amount), *within]
    return [(name, amount(minor, order.currency)) for name, minor in rows]


def _sections(it: Evidence) -> Iterator[tuple[str, Rows]]:
    yield _("Goods"), _goods(it.order)
    taps: list[tuple[datetime, str, str]] = [(it.opened_at, _("A person opened the page."), "")] if it.opened_at else []
    taps += [(step.at, step.get_kind_display(), f"{step.method} {step.surface}".strip()) for step in it.taps]
    taps += [(event.created_at, timeline.sentence(event), _whole(event.type)) for event in it.events]
    yield _("What happened"), [(_time(at), said, more) for at, said, more in sorted(taps, key=lambda tap: tap[0])]
    yield (
        _("Attempts of this payer"),
        [
            (_time(one.created_at), parts.wallet(one), one.get_status_display(), amount(one.amount, one.currency))
            for one in it.attempts
        ],
    )
    yield _("Notifications"), [(_time(told.received_at), told.kind, told.event_id) for told in it.notifications]
    yield (
        _("Mails to the payer"),
        [(_time(mail.sent_at), mail.kind, mail.to.language, mail.public_id) for mail in it.mails],
    )
    if note := it.delivery:
        yield _("Delivery"), [(_time(note.delivered_at), note.carrier, note.tracking_number, note.note)]
    yield (
        _("Refunds"),
        [
            (_time(one.created_at), one.why, one.get_status_display(), amount(one.amount, one.currency))
            for one in it.refunds
        ],
    )
    yield (
        _("Other disputes of this payment"),
        [(_time(one.opened_at), one.provider_ref, one.get_status_display()) for one in it.disputes],
    )
