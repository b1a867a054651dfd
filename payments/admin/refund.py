"""The desk's page of refunds. One that failed is still owed, and waits here for support."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action
from unfold.enums import ActionVariant

from friendpay.admin_kit.again import password_again
from friendpay.admin_kit.base import Panel, SupportAdmin, code, link, minute, mode, moment, money
from friendpay.admin_kit.confirm import actor, confirm, posted
from friendpay.admin_kit.filters import mode_by
from friendpay.kit import clock
from friendpay.kit.templatetags.money import amount
from orders.admin import timeline
from orders.models import Event
from payments.admin import parts, search
from payments.admin.refund_forms import ElsewhereForm, PartForm
from payments.models import Refund
from payments.settlement import remedies

STATUS = Refund.Status


class HeldUpFilter(SimpleListFilter):
    title = _("waiting")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("long", _("for the shop, or undecided for hours"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Refund]) -> QuerySet[Refund]:
        held_up = Refund.objects.held_up(clock.now()).values("pk")
        return queryset.filter(pk__in=held_up) if self.value() == "long" else queryset


@admin.register(Refund)
class RefundAdmin(SupportAdmin):
    """Refunds, each with the wallet's own words where it was refused."""

    list_display = ("id_link", "status_badge", "amount_text", "reason", "said", "payment_link", "mode", "created")
    list_filter = (
        "status",
        HeldUpFilter,
        "reason",
        mode_by("payment__request__order__live"),
        ("merchant", AutocompleteSelectFilter),
    )
    ordering = ("-id",)
    search_fields = ("payment__payer_name",)
    search_help_text = _("Our reference, the wallet's, the payer's name, order number, link or code")
    actions_detail = ("send_again", "send_in_parts", "returned_elsewhere", "withdraw")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("status_badge", "mode", "amount_text"),
                    ("reason", "external", "note"),
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

    def find(self, text: str) -> Q | None:
        return search.find(text).as_refunds()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        return super().get_queryset(request).select_related("payment__request__order", "account", "merchant")

    def panels(self, refund: Refund) -> list[Panel]:
        events = Event.objects.filter(request=refund.payment.request.public_id, object_id=refund.public_id)
        return [timeline.timeline(events)]

    def can(self, action: str, refund: Refund) -> bool:
        if refund.external:
            return False
        if action == "returned_elsewhere":
            return refund.status in (STATUS.FAILED, STATUS.SUBMITTED)
        if action == "withdraw" and refund.reason != Refund.Reason.MERCHANT:
            return False
        return refund.status == STATUS.FAILED

    @action(
        description=_("Send again"),
        url_path="send-again",
        permissions=["payments.resend_refund"],
        icon="send",
        variant=ActionVariant.PRIMARY,
    )
    @password_again
    def send_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(refund: Refund, _data: dict[str, Any]) -> str:
            remedies.send_again(refund.pk, actor=actor(request))
            return gettext("The refund of %(amount)s is sent again.")

        return self._confirm(
            request,
            object_id,
            do,
            title=gettext("Send the refund of %(amount)s again"),
            text=gettext(
                "%(wallet)s is asked once more, with the same reference, so it can never pay back twice. Where the "
                "wallet says that this reference is dead, the refund goes on under a new one."
            ),
            button=gettext("Send again"),
            danger=False,
        )

    @action(
        description=_("Send in parts"),
        url_path="send-in-parts",
        permissions=["payments.resend_refund"],
        icon="call_split",
    )
    @password_again
    def send_in_parts(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(refund: Refund, data: dict[str, Any]) -> str:
            remedies.send_in_parts(refund.pk, data["amount"], actor=actor(request))
            return gettext("The refund of %(amount)s is sent in two parts.")

        return self._confirm(
            request,
            object_id,
            do,
            title=gettext("Send the refund of %(amount)s in two parts"),
            text=gettext("Two refunds take the place of this one: the amount below, and the rest."),
            button=gettext("Send both"),
            form=PartForm,
            danger=False,
        )

    @action(
        description=_("Returned by other means"),
        url_path="returned-elsewhere",
        permissions=["payments.settle_refund"],
        icon="handshake",
    )
    @password_again
    def returned_elsewhere(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(refund: Refund, data: dict[str, Any]) -> str:
            part = amount(data["amount"], refund.currency)
            remedies.return_elsewhere(refund.pk, data["how"], data["amount"], actor=actor(request))
            return gettext("%(part)s is booked as returned by other means.") % {"part": part.replace("%", "%%")}

        return self._confirm(
            request,
            object_id,
            do,
            title=gettext("The payer got the money of this refund by other means"),
            text=gettext(
                "Look at %(wallet)s first: a refund that is under way there must not be returned a second time. What "
                "you write here moves no money; it is booked as refunded, and receipts say that it was returned. Of a "
                "refund that failed, the rest is sent again."
            ),
            button=gettext("It was returned"),
            form=ElsewhereForm,
        )

    @action(
        description=_("Withdraw"),
        url_path="withdraw",
        permissions=["payments.withdraw_refund"],
        icon="undo",
        variant=ActionVariant.DANGER,
    )
    @password_again
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(refund: Refund, _data: dict[str, Any]) -> str:
            remedies.withdraw(refund.pk, actor=actor(request))
            return gettext("The refund of %(amount)s is withdrawn.")

        return self._confirm(
            request,
            object_id,
            do,
            title=gettext("Withdraw the refund of %(amount)s"),
            text=gettext("Nothing goes back by it. The amount can be refunded again, as a whole or in another shape."),
            button=gettext("Withdraw"),
        )

    def _confirm(
        self,
        request: HttpRequest,
        object_id: str,
        do: Callable[[Refund, dict[str, Any]], str],
        *,
        title: str,
        text: str,
        button: str,
        form: type[PartForm] | None = None,
        danger: bool = True,
    ) -> HttpResponse:
        """Ask once more. `amount` and `wallet` in the sentences are the refund's."""
        refund = self.get_object(request, object_id)
        if refund is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        facts = {"amount": amount(refund.amount, refund.currency), "wallet": refund.account}
        return confirm(
            self,
            request,
            refund,
            lambda data: do(refund, data) % facts,
            title=title % facts,
            text=text % facts,
            button=button,
            form=form(posted(request), refund) if form else None,
            danger=danger,
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
    def back(self, refund: Refund) -> Any:
        return moment(refund.back_at)
