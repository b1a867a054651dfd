"""The order's page at the desk, with what was asked and paid for it."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from friendpay.admin_kit.cells import Panel
from friendpay.kit import clock
from orders.admin.order import OrderAdmin
from orders.models import Order
from payments.admin import case, case_acts, parts, personal_data, search
from payments.admin.case import CasePage
from payments.books import persons
from payments.models import PaymentRequest
from payments.offers import surfaces

admin.site.unregister(Order)


@admin.register(Order)
class OrderWithPaymentsAdmin(CasePage, OrderAdmin):
    """An order is found by anything that belongs to it, and shows all of it."""

    actions_detail = ("as_friend", "as_buyer", "why", "personal_data")
    acts = {**case_acts.OF_ORDER, "erase": personal_data.erases(persons.buyer_of)}

    @action(
        description=_("Ways to pay, and why not others"),
        url_path="ways-to-pay",
        permissions=["payments.view_rolloutrule"],
        icon="help",
    )
    def why(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page that tries out the rules, with this order."""
        order = self.get_object(request, object_id)
        if order is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        query = urlencode({"order": order.public_id, "screen": surfaces.DESKTOP})
        return HttpResponseRedirect(f"{reverse('admin:payments_rolloutrule_try_out')}?{query}")

    @action(
        description=_("Export personal data"), url_path="personal-data", permissions=[personal_data.RIGHT], icon="badge"
    )
    def personal_data(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All that is known of the buyer, as a file."""
        order = self.get_object(request, object_id)
        if order is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return personal_data.known(self, request, persons.buyer_of(order), order.public_id)

    def find_all(self, request: HttpRequest, text: str) -> Q:
        return search.find(text, self.shops(request)).as_orders()

    def panels(self, order: Order) -> list[Panel]:
        goods = super().panels(order)[0]
        asked = list(order.payment_requests.all())
        requests = [parts.requests_panel(asked, clock.now())] if asked else []
        return [*requests, *case.panels(order), goods]

    def facts(self, order: Order) -> dict[str, Any]:
        return {"order": order.reference}

    def order_of(self, thing: Order) -> Order:
        return thing

    def request_of(self, thing: Order) -> PaymentRequest | None:
        return thing.payment_requests.order_by("-id").select_related("order__merchant", "merchant").first()
