"""The order's page, with what was asked and paid for it."""

from django.contrib import admin
from django.db.models import Q

from friendpay import clock
from orders.admin.base import Panel
from orders.admin.order import OrderAdmin
from orders.models import Order
from payments.admin import parts, search
from payments.models import Payment, Refund

admin.site.unregister(Order)


@admin.register(Order)
class OrderWithPaymentsAdmin(OrderAdmin):
    """An order is found by anything that belongs to it, and shows all of it."""

    def find(self, text: str) -> Q | None:
        return search.find(text).as_orders()

    def panels(self, order: Order) -> list[Panel]:
        goods, timeline = super().panels(order)
        return [
            goods,
            parts.requests_panel(order.payment_requests.all(), clock.now()),
            parts.payments_panel(Payment.objects.filter(request__order=order)),
            parts.refunds_panel(Refund.objects.filter(payment__request__order=order)),
            timeline,
        ]
