"""The forms of rollout rules: percents and amounts as people write them."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from friendpay.admin_kit.fields import LinesField
from friendpay.kit import limits
from friendpay.kit.money import EXPONENT, Money
from orders import scope
from orders.models import Merchant, Order
from payments.admin import search
from payments.models import RolloutRule
from payments.offers.rollout import Case
from payments.offers.surfaces import APPS, DESKTOP, OTHER_APP, PHONE, Surface
from payments.offers.weighing import METHODS

PLACES = [
    (DESKTOP, _("a computer")),
    (PHONE, _("a phone's browser")),
    *((name, _(app.label)) for name, app in APPS.items()),
    (OTHER_APP, _("inside another app")),
]


class CurrencyField(forms.CharField):
    """An ISO 4217 code, in whatever case."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=3, widget=UnfoldAdminTextInputWidget, **kwargs)

    def clean(self, value: Any) -> str:
        text = str(super().clean(value)).upper()
        if text and text not in EXPONENT:
            raise ValidationError(_("%(code)s is not a currency we know.") % {"code": text})
        return text


def amount_field(label: Any) -> forms.DecimalField:
    return forms.DecimalField(label=label, required=False, min_value=0, widget=UnfoldAdminDecimalFieldWidget)


def minor(amount: Decimal, currency: str) -> int:
    """An amount that was written in a form; ValidationError for what the currency does not have."""
    try:
        found = Money.from_decimal(amount, currency).minor
    except ValueError:
        raise ValidationError(_("%(code)s has no such small coin.") % {"code": currency}) from None
    if found > limits.MAX_MINOR:
        raise ValidationError(_("This is more than any order can be."))
    return found


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    method = forms.ChoiceField(label=_("Method"), choices=list(METHODS.items()), widget=UnfoldAdminSelectWidget)
    share_percent = forms.DecimalField(
        label=_("Share of buyers, in percent"),
        min_value=0,
        max_value=100,
        decimal_places=2,
        initial=100,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=_("Raising it never takes the method from a buyer who had it."),
    )
    allowed_buyers = LinesField(
        label=_("Buyers who always get it"),
        help_text=_("Your own ids of them, one a line. They need not be in the share."),
    )
    denied_buyers = LinesField(label=_("Buyers who never get it"), help_text=_("Your own ids of them, one a line."))
    excluded_categories = LinesField(
        label=_("Excluded categories"), help_text=_("One a line. An order with one line of these loses the method.")
    )
    currencies = LinesField(label=_("Currencies"), help_text=_("One a line, like CNY. Empty for all."))
    amount_currency = CurrencyField(
        label=_("Amounts are in"), help_text=_("Like CNY. Orders in other currencies are not compared.")
    )
    least = amount_field(_("From"))
    most = amount_field(_("Up to"))
    screens = forms.MultipleChoiceField(
        label=_("Screens"),
        choices=PLACES,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Where the page is opened. None for all."),
    )

    class Meta:
        model = RolloutRule
        fields = (
            "merchant",
            "method",
            "note",
            "allowed_buyers",
            "denied_buyers",
            "excluded_categories",
            "currencies",
            "amount_currency",
            "starts_at",
            "ends_at",
            "screens",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule = self.instance
        if rule.pk:
            self.initial["share_percent"] = Decimal(rule.share).scaleb(-2)
            for name, bound in (("least", rule.amount_min), ("most", rule.amount_max)):
                self.initial[name] = None if bound is None else Money(bound, rule.amount_currency).decimal

    def clean_currencies(self) -> list[str]:
        codes = [code.upper() for code in self.cleaned_data["currencies"]]
        for code in codes:
            if code not in EXPONENT:
                raise ValidationError(_("%(code)s is not a currency we know.") % {"code": code})
        return codes

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        bounds: dict[str, int | None] = {"least": None, "most": None}
        for name in bounds:
            if data.get(name) is not None and data.get("amount_currency"):
                try:
                    bounds[name] = minor(data[name], data["amount_currency"])
                except ValidationError as error:
                    self.add_error(name, error)
        if (data.get("least") is not None or data.get("most") is not None) and not data.get("amount_currency"):
            self.add_error("amount_currency", _("An amount needs its currency."))
        if bounds["least"] is not None and bounds["most"] is not None and bounds["least"] > bounds["most"]:
            self.add_error("most", _("This is less than the smallest amount."))
        if data.get("starts_at") and data.get("ends_at") and data["ends_at"] <= data["starts_at"]:
            self.add_error("ends_at", _("It must end after it begins."))
        self.instance.amount_min, self.instance.amount_max = bounds["least"], bounds["most"]
        if data.get("share_percent") is not None:
            self.instance.share = int(data["share_percent"].scaleb(2))
        return data


class TryForm(forms.Form):
    """An order; or a shop and what its buyer might order."""

    order = forms.CharField(
        label=_("Order"), required=False, widget=UnfoldAdminTextInputWidget, help_text=_("Its number, id or link.")
    )
    shop = forms.ModelChoiceField(
        Merchant.objects.none(),
        label=_("Or a shop"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("For an order that there is not yet."),
    )
    currency = CurrencyField(label=_("Currency"))
    amount = amount_field(_("Amount"))
    categories = LinesField(label=_("Categories of the goods"), help_text=_("One a line."))
    buyer = forms.CharField(
        label=_("Buyer's id"),
        max_length=64,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("The shop's own id. Empty for the order's own buyer."),
    )
    live = forms.BooleanField(label=_("Live: real money"), required=False, widget=UnfoldBooleanSwitchWidget)
    screen = forms.ChoiceField(label=_("Opened on"), choices=PLACES, widget=UnfoldAdminSelectWidget)

    def __init__(self, data: QueryDict | None, *, user: Any) -> None:
        super().__init__(data)
        self.user = user
        self.fields["shop"].queryset = scope.merchants_of(user)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("order"):
            named = search.named(data["order"].strip(), scope.shops_of(self.user)).as_orders()
            found = scope.only_mine(self.user, Order.objects.filter(named))
            if data.get("shop"):
                found = found.filter(merchant=data["shop"])
            data["found"] = found.order_by("-id").first()
            if data["found"] is None:
                self.add_error("order", _("There is no such order."))
        elif not data.get("shop"):
            self.add_error("order", _("Name an order, or choose a shop."))
        elif not data.get("currency") or data.get("amount") is None:
            self.add_error("amount", _("Without an order, say the currency and the amount."))
        elif not self.errors:
            try:
                data["minor"] = minor(data["amount"], data["currency"])
            except ValidationError as error:
                self.add_error("amount", error)
        return data

    def case(self) -> Case:
        data = self.cleaned_data
        if data.get("found"):
            return Case.of(data["found"], buyer=data["buyer"])
        return Case(
            merchant_id=data["shop"].pk,
            live=data["live"],
            buyer=data["buyer"],
            currency=data["currency"],
            amount=data["minor"],
            left=data["minor"],
            goods=tuple((category, category) for category in data["categories"]),
            rules=tuple(data["shop"].rollout_rules.all()),
        )

    def surface(self) -> Surface:
        return Surface.at(self.cleaned_data["screen"])
