"""A form's choice of a shop, where all of one's own are meant unless one is chosen."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from friendpay.admin_kit.scope import is_one_shop
from orders import scope
from orders.models import Merchant


class ShopField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Offers and takes the shops of whoever looks, once `offer_to` has said who that is."""

    def __init__(self) -> None:
        super().__init__(
            Merchant.objects.none(),
            label=_("Shop"),
            required=False,
            empty_label=_("All shops"),
            widget=UnfoldAdminSelectWidget,
        )

    def offer_to(self, user: Any) -> None:
        """Who works for one shop has nothing to choose, and is shown no choice."""
        cast(Any, self).queryset = scope.merchants_of(user)
        if is_one_shop(scope.shops_of(user)):
            self.widget = forms.HiddenInput()
