"""The desk's page of refunds. One that failed is still owed, and waits here for support."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit import filters
from friendpay.admin_kit.acts import DANGER, PRIMARY, Act, Data
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import Panel, link, mode, moment, money
from friendpay.admin_kit.columns import ID, Column
from friendpay.kit import clock
from friendpay.kit.money import Money
from friendpay.kit.templatetags.money import amount
from payments.admin import parts, search, second_person
from payments.admin.refund_forms import ElsewhereForm, PartForm
from payments.admin.story import Story
from payments.models import Refund
from payments.settlement import remedies

STATUS = Refund.Status


HELD_UP = filters.choice(
    _("waiting"),
    "waiting",
    {
        "long": (
            _("for the shop, or undecided for hours"),
            lambda: Q(pk__in=Refund.objects.held_up(clock.now()).values("pk")),
        )
    },
)


def _has_failed(refund: Refund) -> bool:
    return not refund.external and refund.status == STATUS.FAILED


def _may_be_elsewhere(refund: Refund) -> bool:
    return not refund.external and refund.status in (STATUS.FAILED, STATUS.SUBMITTED)


def _may_be_withdrawn(refund: Refund) -> bool:
    return _has_failed(refund) and refund.reason == Refund.Reason.MERCHANT


def _return_elsewhere(refund: Refund, data: Data, by: str) -> str:
    """How much was returned, in words."""
    remedies.return_elsewhere(refund.pk, data["how"], data["amount"], actor=by)
    return amount(data["amount"], refund.currency)


def _returned(_refund: Refund, part: str) -> str:
    return gettext("%(part)s is booked as returned by other means.") % {"part": part}


@admin.register(Refund)
class RefundAdmin(SupportAdmin[Refund]):
    """Refunds, each with the wallet's own words where it was refused."""

    of_shop = "merchant"
    list_display = ("id_link", "status_badge", "amount_text", "why", "said", "payment_link", "mode", "created")
    list_filter = (
        "status",
        HELD_UP,
        "reason",
        filters.mode("payment__request__order__live"),
        ("merchant", filters.ShopFilter),
    )
    ordering = ("-id",)
    sortable_by = ("created",)
    search_fields = ("=public_id",)
    search_help_text = _("Our reference, the wallet's, the payer's name, order number, link or code")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("status_badge", "mode", "amount_text"),
                    ("why", "external", "note"),
                    ("payment_link",),
                    ("order_link", "shop", "account_link"),
                )
            },
        ),
        (
            _("Wallet"),
            {
                "fields": (
                    ("our_reference", "wallet_reference", "id_text"),
                    ("said", "attempts", "returned_how"),
                    ("created", "next_try", "back"),
                )
            },
        ),
    )

    columns = {
        "id_link": Column(_("Refund"), lambda refund: f"{refund.public_id[:12]}…", "id"),
        "status_badge": Column(_("Status"), parts.refund_status, "status"),
        "mode": Column(_("Mode"), lambda refund: mode(refund.payment.request.order.live)),
        "amount_text": Column(_("Amount"), lambda refund: money(refund.amount, refund.currency), "amount"),
        "why": Column(_("reason"), lambda refund: refund.why, "reason"),
        "payment_link": Column(_("Payment"), lambda refund: link(refund.payment, parts.payer(refund.payment))),
        "order_link": Column(_("Order"), lambda refund: link(refund.payment.request.order)),
        "shop": parts.SHOP,
        "account_link": parts.ACCOUNT,
        "our_reference": parts.OUR_REFERENCE,
        "wallet_reference": parts.WALLET_REFERENCE,
        "said": parts.SAID,
        "id_text": ID,
        "created": Column(_("Created"), lambda refund: moment(refund.created_at), "id"),
        "next_try": Column(_("Next try"), lambda refund: moment(refund.next_attempt_at)),
        "back": Column(_("With the payer"), lambda refund: moment(refund.back_at)),
    }
    acts = {
        "send_again": Act(
            label=_("Send again"),
            rights=("payments.resend_refund",),
            icon="send",
            colour=PRIMARY,
            again=True,
            when=_has_failed,
            title=_("Send the refund of %(amount)s again"),
            text=_(
                "%(wallet)s is asked once more, with the same reference, so it can never pay back twice. Where the "
                "wallet says that this reference is dead, the refund goes on under a new one."
            ),
            button=_("Send again"),
            danger=False,
            do=lambda refund, _data, by: remedies.send_again(refund.pk, actor=by),
            done=_("The refund of %(amount)s is sent again."),
        ),
        "send_in_parts": Act(
            label=_("Send in parts"),
            rights=("payments.resend_refund",),
            icon="call_split",
            again=True,
            when=_has_failed,
            title=_("Send the refund of %(amount)s in two parts"),
            text=_("Two refunds take the place of this one: the amount below, and the rest."),
            button=_("Send both"),
            danger=False,
            form=PartForm,
            do=lambda refund, data, by: remedies.send_in_parts(refund.pk, data["amount"], actor=by),
            done=_("The refund of %(amount)s is sent in two parts."),
        ),
        "returned_elsewhere": Act(
            label=_("Returned by other means"),
            rights=("payments.settle_refund",),
            icon="handshake",
            again=True,
            when=_may_be_elsewhere,
            title=_("The payer got the money of this refund by other means"),
            text=_(
                "Look at %(wallet)s first: a refund that is under way there must not be returned a second time. What "
                "you write here moves no money; it is booked as refunded, and receipts say that it was returned. Of a "
                "refund that failed, the rest is sent again."
            ),
            button=_("It was returned"),
            form=ElsewhereForm,
            instead=second_person.asked_for(
                "returned_elsewhere",
                lambda refund, data: Money(data["amount"], refund.currency),
                lambda refund: None,
                lambda refund: refund.merchant,
            ),
            do=_return_elsewhere,
            done=_returned,
        ),
        "withdraw": Act(
            label=_("Withdraw"),
            rights=("payments.withdraw_refund",),
            icon="undo",
            colour=DANGER,
            again=True,
            when=_may_be_withdrawn,
            title=_("Withdraw the refund of %(amount)s"),
            text=_("Nothing goes back by it. The amount can be refunded again, as a whole or in another shape."),
            button=_("Withdraw"),
            do=lambda refund, _data, by: remedies.withdraw(refund.pk, actor=by),
            done=_("The refund of %(amount)s is withdrawn."),
        ),
    }

    def find_all(self, request: HttpRequest, text: str) -> Q:
        return search.find(text, self.shops(request)).as_refunds()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        return super().get_queryset(request).select_related("payment__request__order", "account", "merchant")

    def panels(self, refund: Refund) -> list[Panel]:
        return [Story(refund.payment.request.order).panel(refund)]

    def facts(self, refund: Refund) -> dict[str, Any]:
        return {"amount": amount(refund.amount, refund.currency), "wallet": refund.account}
