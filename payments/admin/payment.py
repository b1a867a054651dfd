"""The desk's page of payments, and sending money back."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from friendpay.admin_kit import filters
from friendpay.admin_kit.acts import DANGER, Act, Data
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import Panel, link, mode, moment, money
from friendpay.admin_kit.columns import ID, Column
from friendpay.kit import clock, limits
from friendpay.kit.money import Money
from friendpay.kit.templatetags.money import amount
from payments.admin import parts, personal_data, search, second_person
from payments.admin.filters import BY_METHOD
from payments.admin.story import Story
from payments.books import persons
from payments.models import Payment, Refund
from payments.settlement import refund_moves, refunds


def undecided_for_long() -> Q:
    """Attempts that a wallet has not decided for an hour, or about which it cannot be asked: the machinery asks on, and
    somebody should look.
    """
    waiting = Q(next_attempt_at__isnull=False, status__in=["created", "pending"])
    before = clock.now() - limits.PAYMENT_IS_WORK_AFTER
    return waiting & (Q(created_at__lt=before) | (Q(attempts__gte=limits.PAYMENT_IS_WORK_TRIES) & ~Q(error="")))


UNDECIDED = filters.choice(_("waiting"), "waiting", {"long": (_("undecided for over an hour"), undecided_for_long)})


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


def _form(data: QueryDict | None, payment: Payment) -> RefundForm:
    return RefundForm(data, left=Money(refund_moves.refundable(payment), payment.currency))


def _refund(payment: Payment, data: Data, by: str) -> Refund:
    return refunds.refund_payment(payment.pk, data["amount"], text=data["note"], actor=by, seen=data["seen"])


def _goes_back(_payment: Payment, refund: Refund) -> str:
    return gettext("%(amount)s goes back to the payer.") % {"amount": amount(refund.amount, refund.currency)}


@admin.register(Payment)
class PaymentAdmin(SupportAdmin[Payment]):
    """One payer's attempt, with what went back of it."""

    of_shop = "merchant"
    list_display = ("id_link", "status_badge", "payer", "wallet", "asked", "taken", "order_link", "mode", "created")
    list_filter = (
        UNDECIDED,
        "status",
        BY_METHOD,
        filters.mode("request__order__live"),
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

    columns = {
        "id_link": Column(_("Payment"), lambda payment: f"{payment.public_id[:12]}…", "id"),
        "status_badge": Column(_("Status"), parts.payment_status, "status"),
        "mode": Column(_("Mode"), lambda payment: mode(payment.request.order.live)),
        "payer": Column(_("Payer"), parts.payer, "payer_name"),
        "wallet": Column(_("Wallet"), parts.wallet, "method"),
        "asked": Column(_("Asked"), lambda payment: money(payment.amount, payment.currency), "amount"),
        "taken": Column(
            _("Taken"), lambda payment: money(payment.amount_captured, payment.currency), "amount_captured"
        ),
        "counts": Column(
            _("Counts towards the request"), lambda payment: money(payment.amount_applied, payment.currency)
        ),
        "disputed": Column(
            _("Held or taken by the bank"), lambda payment: money(payment.amount_disputed, payment.currency)
        ),
        "order_link": Column(_("Order"), lambda payment: link(payment.request.order), "request__order__reference"),
        "request_link": Column(_("Payment request"), lambda payment: link(payment.request)),
        "shop": parts.SHOP,
        "account_link": parts.ACCOUNT,
        "our_reference": parts.OUR_REFERENCE,
        "wallet_reference": parts.WALLET_REFERENCE,
        "said": Column(
            _("What the wallet said"),
            lambda payment: " ".join(filter(None, (payment.code, payment.words, payment.error))),
        ),
        "next_question": Column(_("To be asked again"), lambda payment: moment(payment.next_attempt_at)),
        "id_text": ID,
        "created": Column(_("Created"), lambda payment: moment(payment.created_at), "id"),
        "held": Column(_("Held until"), lambda payment: moment(payment.held_until)),
        "succeeded": Column(_("Succeeded"), lambda payment: moment(payment.succeeded_at)),
    }
    actions_detail = ("personal_data",)
    acts = {
        "erase": personal_data.erases(persons.payer_of),
        "refund": Act(
            label=_("Refund"),
            rights=("payments.refund_payment",),
            icon="undo",
            colour=DANGER,
            again=True,
            when=lambda payment: refund_moves.refundable(payment) > 0,
            title=_("Refund the payment of %(payer)s (%(amount)s)"),
            text=_(
                "The money goes back to the payer, through the wallet it came from. The order stays as it is: paid. "
                "This cannot be undone."
            ),
            button=_("Refund"),
            form=_form,
            instead=second_person.asked_for(
                "refund",
                lambda payment, data: Money(data["amount"], payment.currency),
                lambda payment: payment.request.order,
                lambda payment: payment.merchant,
            ),
            do=_refund,
            done=_goes_back,
        ),
    }

    def find_all(self, request: HttpRequest, text: str) -> Q:
        return search.find(text, self.shops(request)).as_payments()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        return super().get_queryset(request).select_related("request__order", "account", "merchant")

    def panels(self, payment: Payment) -> list[Panel]:
        story = Story(payment.request.order)
        mine = [refund for refund in story.refunds if refund.payment_id == payment.pk]
        return [parts.refunds_panel(mine), story.panel(payment)]

    @action(
        description=_("Export personal data"), url_path="personal-data", permissions=[personal_data.RIGHT], icon="badge"
    )
    def personal_data(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All that is known of the payer, as a file."""
        payment = self.get_object(request, object_id)
        if payment is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return personal_data.known(self, request, persons.payer_of(payment), payment.public_id)

    def facts(self, payment: Payment) -> dict[str, Any]:
        return {"payer": parts.payer(payment), "amount": amount(payment.amount_captured, payment.currency)}
