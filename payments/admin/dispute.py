"""The desk's page of disputes (chargebacks). They are answered in the wallet's own site."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit.base import SupportAdmin, badge, code, link, mode, moment, money
from friendpay.admin_kit.filters import mode_by
from payments.admin.filters import ProviderFilter
from payments.models import Dispute

_STATUS = Dispute.Status
_KINDS = {_STATUS.INQUIRY: "warning", _STATUS.OPEN: "danger", _STATUS.WON: "success", _STATUS.LOST: "danger"}


class OpenFilter(SimpleListFilter):
    title = _("state")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("not decided"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> QuerySet[Dispute]:
        return queryset.filter(closed_at=None) if self.value() == "yes" else queryset


@admin.register(Dispute)
class DisputeAdmin(SupportAdmin):
    """What wallets say of disputes; nothing is decided here."""

    list_display = (
        "id_text",
        "state",
        "amount_text",
        "taken",
        "code",
        "words",
        "payment_link",
        "account_link",
        "mode",
        "opened",
    )
    list_filter = (OpenFilter, "status", ProviderFilter, mode_by("account__live"))
    search_fields = ("provider_ref",)
    search_help_text = _("The wallet's number, or the payment's")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("state", "mode"),
                    ("amount_text", "taken"),
                    ("code", "words"),
                    ("payment_link", "order_link", "account_link"),
                    ("wallet_reference", "opened", "closed"),
                )
            },
        ),
    )

    def find(self, text: str) -> Q | None:
        return Q(provider_ref=text) | Q(payment__provider_ref=text) | Q(payment__public_id=text)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispute]:
        return super().get_queryset(request).select_related("payment__request__order", "account")

    @admin.display(description=_("Dispute"), ordering="id")
    def id_text(self, dispute: Dispute) -> str:
        return f"{dispute.public_id[:12]}…"

    @admin.display(description=_("State"), ordering="status")
    def state(self, dispute: Dispute) -> SafeString:
        return badge(dispute.get_status_display(), _KINDS[Dispute.Status(dispute.status)])

    @admin.display(description=_("Mode"))
    def mode(self, dispute: Dispute) -> SafeString:
        return mode(dispute.account.live)

    @admin.display(description=_("Amount"), ordering="amount")
    def amount_text(self, dispute: Dispute) -> SafeString:
        return money(dispute.amount, dispute.currency)

    @admin.display(description=_("Held or taken by the bank"), ordering="amount_taken")
    def taken(self, dispute: Dispute) -> SafeString:
        return money(dispute.amount_taken, dispute.payment.currency)

    @admin.display(description=_("Payment"))
    def payment_link(self, dispute: Dispute) -> SafeString:
        return link(dispute.payment, dispute.payment.public_id)

    @admin.display(description=_("Order"))
    def order_link(self, dispute: Dispute) -> SafeString:
        return link(dispute.payment.request.order)

    @admin.display(description=_("Provider account"))
    def account_link(self, dispute: Dispute) -> SafeString:
        return link(dispute.account, dispute.account.name or dispute.account.provider)

    @admin.display(description=_("The wallet's number"))
    def wallet_reference(self, dispute: Dispute) -> SafeString:
        return code(dispute.provider_ref)

    @admin.display(description=_("Opened (UTC)"), ordering="id")
    def opened(self, dispute: Dispute) -> Any:
        return moment(dispute.opened_at)

    @admin.display(description=_("Closed (UTC)"))
    def closed(self, dispute: Dispute) -> Any:
        return moment(dispute.closed_at)
