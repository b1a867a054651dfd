"""Events say of their object what the API says of it, under the same names."""

from typing import Any

import pytest

from orders.models import Event
from payments.models import PaymentRequest, Refund
from payments.settlement import lifecycle, refund_moves
from tests.caller import Caller

pytestmark = pytest.mark.django_db

CAPABILITIES = {"url", "code", "qr_url", "share_text", "checkout_url", "token"}


@pytest.fixture
def caller() -> Caller:
    return Caller()


def told(type: str) -> dict[str, Any]:
    event = Event.objects.filter(type=type).latest("id")
    data: dict[str, Any] = event.data
    return data


def test_an_events_data_are_fields_of_the_object_and_mean_the_same(caller: Caller) -> None:
    asked, payment = caller.paid()
    order = caller.get(f"/orders/{asked['order']}").json
    request = caller.get(f"/payment-requests/{asked['id']}").json
    shown = caller.get(f"/payments/{payment.public_id}").json
    for type, thing in (("order.paid", order), ("payment_request.paid", request), ("payment.succeeded", shown)):
        data = told(type)
        assert data == {name: thing[name] for name in data}
        assert not CAPABILITIES & set(data)
    assert told("order.paid")["paid_elsewhere"] is False
    assert told("payment.succeeded")["reference"] == payment.reference
    assert told("payment.succeeded")["order_reference"] == order["reference"]


def test_a_refunds_events_name_it_and_the_orders_event_names_the_refund(caller: Caller) -> None:
    _asked, payment = caller.paid()
    caller.post(f"/payments/{payment.public_id}/refunds", {"amount": 1500})
    refund_moves.move_refund(Refund.objects.get().pk, "succeeded")
    refund = caller.get(f"/refunds/{Refund.objects.get().public_id}").json
    assert told("refund.succeeded") == refund
    data = told("order.refunded")
    assert (data["refund"], data["refund_amount"], data["amount_refunded"]) == (refund["id"], 1500, 1500)


def test_an_order_paid_elsewhere_says_so_in_its_event(caller: Caller) -> None:
    order = caller.order()
    caller.post(f"/orders/{order['id']}/mark-paid")
    assert told("order.paid")["paid_elsewhere"] is True


def test_an_end_is_in_the_event_that_tells_of_it(caller: Caller) -> None:
    asked = caller.ask(caller.order())
    lifecycle.cancel_request(PaymentRequest.objects.get().pk, actor="buyer")
    data = told("payment_request.cancelled")
    assert (data["status"], data["id"]) == ("cancelled", asked["id"])
    assert data["closed_at"] is not None
