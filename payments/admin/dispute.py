"""The desk's page of disputes (chargebacks). They are answered in the wallet's own site."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from friendpay.admin_kit import filters
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import badge, link, mode, moment, money
from friendpay.admin_kit.columns import Column
from payments.admin import evidence, parts
from payments.admin.filters import BY_ACCOUNTS_PROVIDER
from payments.models import Dispute

_STATUS = Dispute.Status
_KINDS = {_STATUS.INQUIRY: "warning", _STATUS.OPEN: "danger", _STATUS.WON: "success", _STATUS.LOST: "danger"}


IS_OPEN = filters.choice(_("state"), "open", {"yes": (_("not decided"), Q(closed_at=None))})


def _state(dispute: Dispute) -> SafeString:
    return badge(dispute.get_status_display(), _KINDS[Dispute.Status(dispute.status)])


@admin.register(Dispute)
class DisputeAdmin(SupportAdmin[Dispute]):
    """What wallets say of disputes; nothing is decided here."""

    of_shop = "account__merchant"
    list_display = ("id_text", "state", "amount_text", "said", "payment_link", "mode", "opened")
    list_filter = (IS_OPEN, "status", BY_ACCOUNTS_PROVIDER, filters.mode("account__live"))
    search_fields = ("provider_ref",)
    search_help_text = _("The wallet's number, or the payment's")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("state", "mode"),
                    ("amount_text", "taken"),
                    ("said",),
                    ("payment_link", "order_link", "account_link"),
                    ("wallet_reference", "opened", "closed"),
                    ("next_question", "attempts", "error"),
                )
            },
        ),
    )

    columns = {
        "id_text": Column(_("Dispute"), lambda dispute: f"{dispute.public_id[:12]}…", "id"),
        "state": Column(_("State"), _state, "status"),
        "mode": Column(_("Mode"), lambda dispute: mode(dispute.account.live)),
        "amount_text": Column(_("Amount"), lambda dispute: money(dispute.amount, dispute.currency), "amount"),
        "taken": Column(
            _("Held or taken by the bank"),
            lambda dispute: money(dispute.amount_taken, dispute.payment.currency),
            "amount_taken",
        ),
        "said": parts.SAID,
        "payment_link": Column(_("Payment"), lambda dispute: link(dispute.payment, parts.numbered(dispute.payment))),
        "order_link": Column(_("Order"), lambda dispute: link(dispute.payment.request.order)),
        "account_link": parts.ACCOUNT,
        "wallet_reference": parts.WALLET_REFERENCE,
        "opened": Column(_("Opened"), lambda dispute: moment(dispute.opened_at), "id"),
        "closed": Column(_("Closed"), lambda dispute: moment(dispute.closed_at)),
        "next_question": Column(
            _("To be asked again"), lambda dispute: moment(None if dispute.closed_at else dispute.next_attempt_at)
        ),
    }

    actions_detail = ("evidence",)

    @action(
        description=_("Evidence pack"),
        url_path="evidence",
        permissions=["payments.view_dispute"],
        icon="folder_open",
        variant=ActionVariant.PRIMARY,
    )
    def evidence(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One page to print or to keep: it needs nothing from elsewhere. Who opened it is on record."""
        dispute = self.get_object(request, object_id)
        if dispute is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return evidence.page(request, dispute)

    def find(self, text: str) -> Q | None:
        return Q(provider_ref=text) | Q(payment__provider_ref=text) | Q(payment__public_id=text)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispute]:
        return (
            super()
            .get_queryset(request)
            .select_related("payment__request__order__merchant", "payment__account", "account")
        )
