"""Forms of the demo shop."""

from django import forms

from friendpay.kit import limits
from orders.shop.demo_goods import GOODS


class BasketForm(forms.Form):
    """More or less of one kind of goods."""

    slug = forms.ChoiceField(choices=[(slug, slug) for slug in GOODS])
    change = forms.IntegerField(min_value=-limits.BASKET_PIECES, max_value=limits.BASKET_PIECES)
    back = forms.ChoiceField(choices=[("basket", "basket")], required=False)
