"""Forms of the demo shop."""

from django import forms

from orders.shop.demo_goods import GOODS, MOST


class BasketForm(forms.Form):
    """More or less of one kind of goods."""

    slug = forms.ChoiceField(choices=[(slug, slug) for slug in GOODS])
    change = forms.IntegerField(min_value=-MOST, max_value=MOST)
    back = forms.ChoiceField(choices=[("basket", "basket")], required=False)
