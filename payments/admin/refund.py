"""Money on its way back. One that failed is still owed, and waits here for support."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action
from unfold.enums import ActionVariant

from orders.admin import timeline
from orders.admin.base import Panel, SupportAdmin, code, link, minute, mode, moment, money
from orders.admin.confirm import actor, confirm
from orders.admin.filters import mode_by
from orders.models import Event
from orders.templatetags.money import amount
from payments import refunds
from payments.admin import parts, search
from payments.models import Refund


@admin.register(Refund)
class RefundAdmin(SupportAdmin):
    """Refunds, each with the wallet's own words where it was refused."""

    list_display = ("id_link", "status_badge", "amount_text", "reason", "said", "payment_link", "mode", "created")
    list_filter = ("status", "reason", mode_by("payment__request__order__live"), ("merchant", AutocompleteSelectFilter))
    ordering = ("-id",)
    search_fields = ("payment__payer_name",)
    search_help_text = _("Our reference, the wallet's, the payer's name, order number, link or code")
    actions_detail = ("send_again",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("status_badge", "mode", "amount_text"),
                    ("reason", "note", "payment_link"),
                    ("order_link", "shop", "account_link"),
                )
            },
        ),
        (
            _("Wallet"),
            {
                "fields": (
                    ("our_reference", "wallet_reference", "id_text"),
                    ("said", "attempts"),
                    ("created", "next_try", "succeeded"),
                )
            },
        ),
    )

    def find(self, text: str) -> Q | None:
        return search.find(text).as_refunds()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        return super().get_queryset(request).select_related("payment__request__order", "account", "merchant")

    def panels(self, refund: Refund) -> list[Panel]:
        events = Event.objects.filter(request=refund.payment.request.public_id, object_id=refund.public_id)
        return [timeline.timeline(events)]

    def can(self, action: str, refund: Refund) -> bool:
        return refund.status == Refund.Status.FAILED

    @action(
        description=_("Send again"),
        url_path="send-again",
        permissions=["payments.resend_refund"],
        icon="send",
        variant=ActionVariant.PRIMARY,
    )
    def send_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refund = self.get_object(request, object_id)
        if refund is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        facts = {"amount": amount(refund.amount, refund.currency), "wallet": refund.account}

        def do(_data: dict[str, Any]) -> str:
            refunds.send_again(refund.pk, actor=actor(request))
            return gettext("The refund of %(amount)s is sent again.") % facts

        return confirm(
            self,
            request,
            refund,
            do,
            title=gettext("Send the refund of %(amount)s again") % facts,
            text=gettext(
                "%(wallet)s is asked once more, with the same reference, so it can never pay back twice. If the money "
                "must be returned in another way, do that at the wallet itself."
            )
            % facts,
            button=gettext("Send again"),
            danger=False,
        )

    @admin.display(description=_("Refund"), ordering="id")
    def id_link(self, refund: Refund) -> str:
        return f"{refund.public_id[:12]}…"

    @admin.display(description=_("Status"), ordering="status")
    def status_badge(self, refund: Refund) -> SafeString:
        return parts.refund_status(refund)

    @admin.display(description=_("Mode"))
    def mode(self, refund: Refund) -> SafeString:
        return mode(refund.payment.request.order.live)

    @admin.display(description=_("Amount"), ordering="amount")
    def amount_text(self, refund: Refund) -> SafeString:
        return money(refund.amount, refund.currency)

    @admin.display(description=_("Payment"))
    def payment_link(self, refund: Refund) -> SafeString:
        return link(refund.payment, parts.payer(refund.payment))

    @admin.display(description=_("Order"))
    def order_link(self, refund: Refund) -> SafeString:
        return link(refund.payment.request.order)

    @admin.display(description=_("Shop"))
    def shop(self, refund: Refund) -> SafeString:
        return link(refund.merchant)

    @admin.display(description=_("Provider account"))
    def account_link(self, refund: Refund) -> SafeString:
        return link(refund.account, refund.account.name or refund.account.provider)

    @admin.display(description=_("Our reference"))
    def our_reference(self, refund: Refund) -> SafeString:
        return code(refund.reference)

    @admin.display(description=_("The wallet's number"))
    def wallet_reference(self, refund: Refund) -> SafeString:
        return code(refund.provider_ref)

    @admin.display(description=_("What the wallet said"))
    def said(self, refund: Refund) -> str:
        return " ".join(filter(None, (refund.code, refund.words)))

    @admin.display(description=_("Id"))
    def id_text(self, refund: Refund) -> SafeString:
        return code(refund.public_id)

    @admin.display(description=_("Created (UTC)"), ordering="id")
    def created(self, refund: Refund) -> Any:
        return minute(refund.created_at)

    @admin.display(description=_("Next try (UTC)"))
    def next_try(self, refund: Refund) -> Any:
        return moment(refund.next_attempt_at)

    @admin.display(description=_("With the payer (UTC)"))
    def succeeded(self, refund: Refund) -> Any:
        return moment(refund.succeeded_at)
