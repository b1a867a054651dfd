"""What needs a person: each kind of work, and of each piece one line that says what it is about."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_lazy

from friendpay.admin_kit.cells import address, labelled
from friendpay.kit import clock, desk_limits
from friendpay.kit.templatetags.money import amount
from orders.models import WebhookEndpoint
from payments.admin import inbox, parts
from payments.admin.payment import undecided_for_long
from payments.models import (
    Assignment,
    BillMismatch,
    Dispute,
    LedgerAlarm,
    Payment,
    Proposal,
    ProviderAccount,
    ProviderEvent,
    Refund,
    Report,
)


@dataclass(frozen=True)
class Line:
    """A piece of work: since when it waits, its kind, where it is solved, and what it is about."""

    since: datetime
    kind: "str | Promise"
    url: str
    about: str


@dataclass(frozen=True)
class Work:
    """One kind of work: its rows, since when each waits, what it is about, and the list that shows all of them."""

    title: "str | Promise"
    text: "str | Promise"
    permission: str
    rows: Callable[[], QuerySet[Any]]
    page: str
    filter: str
    since: str
    about: Callable[[Any], Iterable[object]]
    with_it: tuple[str, ...] = ()

    @cached_property
    def oldest(self) -> list[Any]:
        """The first that are shown, oldest first; one more where there are more."""
        rows = self.rows().select_related(*self.with_it).order_by(self.since, "pk")
        return list(rows[: desk_limits.WORK_SHOWN + 1])

    @cached_property
    def count(self) -> int:
        """How many there are; those that one page shows are not counted again."""
        known = len(self.oldest)
        return known if known <= desk_limits.WORK_SHOWN else self.rows().count()

    def lines(self) -> list["Line"]:
        return [
            Line(
                getattr(row, self.since), self.title, address(row), " · ".join(filter(None, map(str, self.about(row))))
            )
            for row in self.oldest[: desk_limits.WORK_SHOWN]
        ]

    @property
    def url(self) -> str:
        return f"{reverse(f'admin:{self.page}_changelist')}?{self.filter}"


def _order(row: Any) -> tuple[str, str]:
    return row.reference, row.buyer_name


def _refund(refund: Refund) -> Iterable[object]:
    order = _order(refund.payment.request.order)
    said = " ".join(filter(None, (refund.code, refund.words or refund.error)))
    return amount(refund.amount, refund.currency), parts.payer(refund.payment), *order, refund.merchant, said


def _notification(event: ProviderEvent) -> Iterable[object]:
    return inbox.says(event), event.reference or event.kind, event.account.merchant, event.account, event.error


def _report(report: Report) -> Iterable[object]:
    request = report.request
    sum = amount(request.amount, request.currency)
    return report.get_reason_display(), report.words, sum, *_order(request.order), report.merchant


def _mismatch(mismatch: BillMismatch) -> Iterable[object]:
    sides = f"{mismatch.ours} / {mismatch.theirs}".strip(" /")
    account = mismatch.account
    return mismatch.get_kind_display(), sides, mismatch.reference, mismatch.day, account.merchant, account


def _dispute(dispute: Dispute) -> Iterable[object]:
    payment = dispute.payment
    sum = amount(dispute.amount, dispute.currency)
    return sum, dispute.code, dispute.words, parts.payer(payment), *_order(payment.request.order), payment.merchant


def _account(account: ProviderAccount) -> Iterable[object]:
    return account, account.provider, account.merchant


def _proposal(proposal: Proposal) -> Iterable[object]:
    order = _order(proposal.order) if proposal.order else ()
    return proposal.what, *order, proposal.merchant, proposal.proposed_by.get_username()


def _payment(payment: Payment) -> Iterable[object]:
    sum = amount(payment.amount, payment.currency)
    who = parts.payer(payment), parts.wallet(payment)
    return sum, *who, *_order(payment.request.order), payment.merchant, payment.error


def _endpoint(endpoint: WebhookEndpoint) -> Iterable[object]:
    return endpoint.url, endpoint.get_disabled_reason_display(), endpoint.merchant


def alarm_lines() -> Iterable[Line]:
    """What the ledger check found wrong: it goes before all other work. The row named opens by its id."""
    for alarm in LedgerAlarm.objects.all()[: desk_limits.WORK_SHOWN]:
        url = f"{reverse('admin_find')}?{urlencode({'q': alarm.object_id})}"
        about = f"{alarm.rule} · {alarm.object_id} · {alarm.detail}"
        yield Line(alarm.found_at, gettext_lazy("The books are wrong"), url, about)


KINDS = (
    Work(
        gettext_lazy("Failed refunds"),
        gettext_lazy("A wallet refused them. The money is still owed to the payer."),
        "payments.view_refund",
        lambda: Refund.objects.filter(status=Refund.Status.FAILED),
        "payments_refund",
        "status__exact=failed",
        "created_at",
        _refund,
        ("payment__request__order", "merchant"),
    ),
    Work(
        gettext_lazy("Refunds that wait"),
        gettext_lazy("They wait for something at the shop's account, or no wallet has decided them for hours."),
        "payments.view_refund",
        lambda: Refund.objects.held_up(clock.now()),
        "payments_refund",
        "waiting=long",
        "created_at",
        _refund,
        ("payment__request__order", "merchant"),
    ),
    Work(
        gettext_lazy("Orphans"),
        gettext_lazy("A wallet speaks of a payment or a refund that we do not know."),
        "payments.view_providerevent",
        lambda: ProviderEvent.objects.filter(inbox.WHERE["orphan"]),
        "payments_providerevent",
        "state=orphan",
        "received_at",
        _notification,
        ("account__merchant",),
    ),
    Work(
        gettext_lazy("Set aside"),
        gettext_lazy("Notifications that could not be applied after several tries."),
        "payments.view_providerevent",
        lambda: ProviderEvent.objects.filter(inbox.WHERE["set_aside"]),
        "payments_providerevent",
        "state=set_aside",
        "received_at",
        _notification,
        ("account__merchant",),
    ),
    Work(
        gettext_lazy("Reports"),
        gettext_lazy("A friend who was asked to pay says that something is wrong."),
        "payments.view_report",
        lambda: Report.objects.open(),
        "payments_report",
        "open=yes",
        "created_at",
        _report,
        ("request__order", "merchant"),
    ),
    Work(
        gettext_lazy("Bill mismatches"),
        gettext_lazy("A wallet's daily bill and our books do not agree."),
        "payments.view_billmismatch",
        lambda: BillMismatch.objects.filter(settled_at=None),
        "payments_billmismatch",
        "open=yes",
        "found_at",
        _mismatch,
        ("account__merchant",),
    ),
    Work(
        gettext_lazy("Disputes"),
        gettext_lazy("A payer asks the bank for the money back. Answer in the wallet's own site, in time."),
        "payments.view_dispute",
        lambda: Dispute.objects.filter(closed_at=None),
        "payments_dispute",
        "open=yes",
        "opened_at",
        _dispute,
        ("payment__request__order", "payment__merchant"),
    ),
    Work(
        gettext_lazy("Wallets that do not answer"),
        gettext_lazy("Nobody pays there now. They are tried every minute, and go on by themselves."),
        "payments.view_provideraccount",
        lambda: ProviderAccount.objects.exclude(paused_until=None),
        "payments_provideraccount",
        "paused=yes",
        "paused_until",
        _account,
        ("merchant",),
    ),
    Work(
        gettext_lazy("Undecided payments"),
        gettext_lazy("For more than an hour no wallet has said whether they were paid."),
        "payments.view_payment",
        lambda: Payment.objects.filter(undecided_for_long()),
        "payments_payment",
        "waiting=long",
        "created_at",
        _payment,
        ("request__order", "merchant"),
    ),
    Work(
        gettext_lazy("Failing webhooks"),
        gettext_lazy("The shop's address has not taken what it is told since then. It is tried again by itself."),
        "orders.view_webhookendpoint",
        lambda: WebhookEndpoint.objects.kept().enabled().exclude(failing_since=None),
        "orders_webhookendpoint",
        "failing=yes",
        "failing_since",
        _endpoint,
        ("merchant",),
    ),
    Work(
        gettext_lazy("Webhooks switched off"),
        gettext_lazy("They failed for days, or answered that they are gone. The shop is told nothing any more."),
        "orders.view_webhookendpoint",
        lambda: WebhookEndpoint.objects.kept().filter(disabled_reason__in=["failing", "gone"]),
        "orders_webhookendpoint",
        "failing=off",
        "disabled_at",
        _endpoint,
        ("merchant",),
    ),
    Work(
        gettext_lazy("Waits for a second person"),
        gettext_lazy("Another person than the one who proposed it has to confirm it."),
        "payments.view_proposal",
        lambda: Proposal.objects.waiting(clock.now()),
        "payments_proposal",
        "open=yes",
        "proposed_at",
        _proposal,
        ("order", "merchant", "proposed_by"),
    ),
)


def assigned(rows: "QuerySet[Assignment]") -> list[Line]:
    """The cases that somebody sees to, as lines."""
    cases = rows.select_related("order", "merchant", "user").order_by("assigned_at")[: desk_limits.WORK_SHOWN]
    return [
        Line(
            it.assigned_at,
            labelled(gettext("Assigned to"), it.user.get_username()),
            address(it.order),
            " · ".join(map(str, (*_order(it.order), it.merchant))),
        )
        for it in cases
    ]
