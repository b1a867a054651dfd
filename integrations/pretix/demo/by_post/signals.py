"""The fee, in the cart and in the order."""

from decimal import Decimal
from typing import Any

from django.dispatch import receiver
from pretix.base.models import Event, OrderFee
from pretix.base.signals import order_fee_calculation
from pretix.presale.signals import fee_calculation_for_cart


@receiver(fee_calculation_for_cart, dispatch_uid="by_post_cart")
@receiver(order_fee_calculation, dispatch_uid="by_post_order")
def shipping(sender: Event, invoice_address: Any, positions: Any, **_kwargs: Any) -> list[OrderFee]:
    if not positions:
        return []
    fee = OrderFee(fee_type=OrderFee.FEE_TYPE_SHIPPING, value=Decimal("6.00"), description="Tickets by post")
    fee._calculate_tax(sender.tax_rules.first(), invoice_address=invoice_address, event=sender)
    return [fee]
