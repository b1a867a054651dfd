"""The desk's page of payments, and sending money back."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from friendpay.admin_kit.again import password_again
from friendpay.admin_kit.base import Panel, SupportAdmin, code, link, minute, mode, moment, money
from friendpay.admin_kit.confirm import actor, confirm, posted
from friendpay.admin_kit.filters import mode_by
from friendpay.kit import clock
from friendpay.kit.money import Money
from friendpay.kit.templatetags.money import amount
from orders.admin import timeline
from orders.models import Event
from payments.admin import parts, search
from payments.admin.filters import MethodFilter
from payments.models import Payment
from payments.settlement import refund_moves, refunds

TOO_LONG = timedelta(hours=1)


def undecided_for_long() -> Q:
    """Attempts that a wallet has not decided for an hour, or about which it cannot be asked: the machinery asks on, and
    somebody should look.
    """
    waiting = Q(next_attempt_at__isnull=False, status__in=["created", "pending"])
    return waiting & (Q(created_at__lt=clock.now() - TOO_LONG) | (Q(attempts__gte=4) & ~Q(error="")))


class WaitFilter(SimpleListFilter):
    title = _("waiting")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("long", _("undecided for over an hour"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Payment]) -> QuerySet[Payment]:
        return queryset.filter(undecided_for_long()) if self.value() == "long" else queryset


class RefundForm(forms.Form):
    """How much goes back. `seen` carries what was left when the form was made, so that a double click refunds once."""

    amount = forms.DecimalField(label=_("Amount"), widget=UnfoldAdminDecimalFieldWidget)
    note = forms.CharField(
        label=_("Note"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("For the shop's own books."),
    )
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any, *, left: Money) -> None:
        super().__init__(data, initial={"amount": left.decimal, "seen": left.minor})
        self.currency = left.currency
        self.fields["amount"].help_text = _("Up to %(left)s.") % {"left": amount(left.minor, left.currency)}

    def clean_amount(self) -> int:
        try:
            return Money.from_decimal(self.cleaned_data["amount"], self.currency).minor
        except ValueError as error:
            raise ValidationError(_("There is no such small coin in this currency.")) from error


@admin.register(Payment)
class PaymentAdmin(SupportAdmin):
    """One payer's attempt, with what went back of it."""

    list_display = ("id_link", "status_badge", "payer", "wallet", "asked", "taken", "order_link", "mode", "created")
    list_filter = (
        WaitFilter,
        "status",
        MethodFilter,
        mode_by("request__order__live"),
        ("merchant", AutocompleteSelectFilter),
    )
    ordering = ("-id",)
    search_fields = ("payer_name",)
    search_help_text = _("Our reference, the wallet's, the payer's name, order number, link or code")
    actions_detail = ("refund",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("status_badge", "mode", "payer"),
                    ("asked", "taken", "counts", "disputed"),
                    ("order_link", "request_link", "shop"),
                )
            },
        ),
        (
            _("Wallet"),
            {
                "fields": (
                    ("wallet", "rail", "account_link"),
                    ("our_reference", "wallet_reference", "id_text"),
                    ("said", "next_question"),
                    ("created", "held", "succeeded"),
                )
            },
        ),
    )

    def find(self, text: str) -> Q | None:
        return search.find(text).as_payments()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        return super().get_queryset(request).select_related("request__order", "account", "merchant")

    def panels(self, payment: Payment) -> list[Panel]:
        ids = [payment.public_id, *payment.refunds.values_list("public_id", flat=True)]
        events = Event.objects.filter(request=payment.request.public_id, object_id__in=ids)
        return [parts.refunds_panel(payment.refunds.all()), timeline.timeline(events)]

    def can(self, action: str, payment: Payment) -> bool:
        return refund_moves.refundable(payment) > 0

    @action(
        description=_("Refund"),
        url_path="refund",
        permissions=["payments.refund_payment"],
        icon="undo",
        variant=ActionVariant.DANGER,
    )
    @password_again
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        payment = self.get_object(request, object_id)
        if payment is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        left = Money(refund_moves.refundable(payment), payment.currency)

        def do(data: dict[str, Any]) -> str:
            refund = refunds.refund_payment(
                payment.pk, data["amount"], text=data["note"], actor=actor(request), seen=data["seen"]
            )
            return gettext("%(amount)s goes back to the payer.") % {"amount": amount(refund.amount, refund.currency)}

        return confirm(
            self,
            request,
            payment,
            do,
            title=gettext("Refund the payment of %(payer)s (%(amount)s)")
            % {"payer": parts.payer(payment), "amount": amount(payment.amount_captured, payment.currency)},
            text=gettext(
                "The money goes back to the payer, through the wallet it came from. The order stays as it is: paid. "
                "This cannot be undone."
            ),
            button=gettext("Refund"),
            form=RefundForm(posted(request), left=left),
        )

    @admin.display(description=_("Payment"), ordering="id")
    def id_link(self, payment: Payment) -> str:
        return f"{payment.public_id[:12]}…"

    @admin.display(description=_("Status"), ordering="status")
    def status_badge(self, payment: Payment) -> SafeString:
        return parts.payment_status(payment)

    @admin.display(description=_("Mode"))
    def mode(self, payment: Payment) -> SafeString:
        return mode(payment.request.order.live)

    @admin.display(description=_("Payer"), ordering="payer_name")
    def payer(self, payment: Payment) -> str:
        return parts.payer(payment)

    @admin.display(description=_("Wallet"), ordering="method")
    def wallet(self, payment: Payment) -> str:
        return parts.wallet(payment)

    @admin.display(description=_("Asked"), ordering="amount")
    def asked(self, payment: Payment) -> SafeString:
        return money(payment.amount, payment.currency)

    @admin.display(description=_("Taken"), ordering="amount_captured")
    def taken(self, payment: Payment) -> SafeString:
        return money(payment.amount_captured, payment.currency)

    @admin.display(description=_("Counts towards the request"))
    def counts(self, payment: Payment) -> SafeString:
        return money(payment.amount_applied, payment.currency)

    @admin.display(description=_("Held or taken by the bank"))
    def disputed(self, payment: Payment) -> SafeString:
        return money(payment.amount_disputed, payment.currency)

    @admin.display(description=_("Order"), ordering="request__order__reference")
    def order_link(self, payment: Payment) -> SafeString:
        return link(payment.request.order)

    @admin.display(description=_("Payment request"))
    def request_link(self, payment: Payment) -> SafeString:
        return link(payment.request)

    @admin.display(description=_("Shop"))
    def shop(self, payment: Payment) -> SafeString:
        return link(payment.merchant)

    @admin.display(description=_("Provider account"))
    def account_link(self, payment: Payment) -> SafeString:
        return link(payment.account, payment.account.name or payment.account.provider)

    @admin.display(description=_("Our reference"))
    def our_reference(self, payment: Payment) -> SafeString:
        return code(payment.reference)

    @admin.display(description=_("The wallet's number"))
    def wallet_reference(self, payment: Payment) -> SafeString:
        return code(payment.provider_ref)

    @admin.display(description=_("What the wallet said"))
    def said(self, payment: Payment) -> str:
        return " ".join(filter(None, (payment.code, payment.words, payment.error)))

    @admin.display(description=_("Asked again (UTC)"))
    def next_question(self, payment: Payment) -> Any:
        return moment(payment.next_attempt_at)

    @admin.display(description=_("Id"))
    def id_text(self, payment: Payment) -> SafeString:
        return code(payment.public_id)

    @admin.display(description=_("Created (UTC)"), ordering="id")
    def created(self, payment: Payment) -> Any:
        return minute(payment.created_at)

    @admin.display(description=_("Held until (UTC)"))
    def held(self, payment: Payment) -> Any:
        return moment(payment.held_until)

    @admin.display(description=_("Succeeded (UTC)"))
    def succeeded(self, payment: Payment) -> Any:
        return moment(payment.succeeded_at)
