"""Forms about a refund that failed."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from friendpay.kit.money import Money
from payments.models import Refund


class PartForm(forms.Form):
    """How much of a refund."""

    amount = forms.DecimalField(label=_("Amount"), widget=UnfoldAdminDecimalFieldWidget)

    def __init__(self, data: QueryDict | None, refund: Refund) -> None:
        super().__init__(data, initial={"amount": refund.money.decimal})
        self.currency = refund.currency

    def clean_amount(self) -> int:
        try:
            return Money.from_decimal(self.cleaned_data["amount"], self.currency).minor
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class ElsewhereForm(PartForm):
    """How much was returned by other means, and how."""

    how = forms.CharField(
        label=_("How it was returned"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("The payer reads it. Such as: refunded in the wallet's own site, number 5030…; by bank transfer."),
    )
