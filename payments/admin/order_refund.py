"""Refunding an order at the desk: by the lines that go back, or by an amount, to all who paid it."""

from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from friendpay.admin_kit.acts import DANGER, Act, Data
from friendpay.kit import quantities
from friendpay.kit.money import Money
from friendpay.kit.templatetags.money import amount
from orders import returns
from orders.models import Order, OrderLine
from orders.returns import NOTHING, LineReturn
from payments.admin import second_person
from payments.models import Refund
from payments.settlement import goods, refunds
from payments.settlement.refund_moves import weigh_lines


class OrderRefundForm(forms.Form):
    """How much of each line, or how much money. `seen` carries what was left, so that a double click refunds once."""

    def __init__(self, data: QueryDict | None, order: Order) -> None:
        left = refunds.left_of(order)
        super().__init__(data, initial={"seen": left})
        self.order = order
        self.lines = list(order.lines.order_by("id"))
        counted = goods.returned(order)
        for place, (line, paid) in enumerate(zip(self.lines, returns.worth(order, self.lines), strict=True), 1):
            if line.quantity_returned < line.quantity and paid:
                left_of_it = max(0, paid - returns.sent_for(line, paid, counted.get(place, NOTHING)))
                self.fields[f"line_{place}"] = self._line(line, left_of_it)
        self.fields["amount"] = forms.DecimalField(
            label=_("Or an amount"),
            required=False,
            widget=UnfoldAdminDecimalFieldWidget,
            help_text=_("Such as the shipping. Up to %(left)s.") % {"left": amount(left, order.currency)},
        )
        self.fields["note"] = forms.CharField(
            label=_("Note"),
            max_length=200,
            required=False,
            widget=UnfoldAdminTextInputWidget,
            help_text=_("For the shop's own books."),
        )
        self.fields["seen"] = forms.IntegerField(widget=forms.HiddenInput)

    def _line(self, line: OrderLine, worth: int) -> forms.DecimalField:
        rest = line.quantity - line.quantity_returned
        said = {"left": f"{quantities.number(rest)} {line.unit}".strip(), "paid": amount(worth, self.order.currency)}
        return forms.DecimalField(
            label=line.name,
            required=False,
            min_value=Decimal(0),
            max_value=rest,
            widget=UnfoldAdminDecimalFieldWidget,
            help_text=_("How much goes back: %(left)s at most, for which %(paid)s were paid.") % said,
        )

    def clean_amount(self) -> int | None:
        given = self.cleaned_data["amount"]
        try:
            return None if given is None else Money.from_decimal(given, self.order.currency).minor
        except ValueError as error:
            raise forms.ValidationError(_("There is no such small coin in this currency.")) from error

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        data["lines"] = [
            LineReturn(place, data[f"line_{place}"])
            for place in range(1, len(self.lines) + 1)
            if data.get(f"line_{place}")
        ]
        if bool(data["lines"]) == (data.get("amount") is not None) and not self.errors:
            raise forms.ValidationError(_("Say what goes back: either lines, or an amount."))
        return data


def _refund(order: Order, data: Data, by: str) -> list[Refund]:
    how = {"lines": data["lines"], "text": data["note"], "actor": by, "seen": data["seen"]}
    return refunds.refund_order(order, data["amount"], **how)


def _goes_back(order: Order, made: list[Refund]) -> str:
    total = amount(sum(refund.amount for refund in made), order.currency)
    return gettext("%(amount)s goes back to who paid.") % {"amount": total}


def _sum(order: Order, data: Data) -> Money:
    """How much goes back."""
    if data["amount"] is not None:
        return Money(data["amount"], order.currency)
    return Money(returns.total(weigh_lines(order, data["lines"], refunds.applied(order))), order.currency)


REFUND: Act[Order] = Act(
    label=_("Refund"),
    rights=("payments.refund_payment",),
    icon="undo",
    colour=DANGER,
    again=True,
    when=lambda order: refunds.left_of(order) > 0,
    title=_("Refund the order"),
    text=_(
        "A line goes back with its share of discounts, taxes and credits. The money goes to all who paid, in "
        "proportion, through the wallets it came from. This cannot be undone."
    ),
    button=_("Refund"),
    form=OrderRefundForm,
    instead=second_person.asked_for("refund", _sum, lambda order: order, lambda order: order.merchant),
    do=_refund,
    done=_goes_back,
)
