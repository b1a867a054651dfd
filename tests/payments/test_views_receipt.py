"""The payer's own pages: the code to scan, and the receipt."""

import pytest
from django.test import Client

from payments import lifecycle
from payments.models import Payment, PaymentRequest
from tests import shop
from tests.pages import words

pytestmark = pytest.mark.django_db

CODE = "weixin://wxpay/bizpayurl?pr=abc"


def page_of(payment: Payment) -> str:
    return f"/r/{payment.token}/"


def native(plea: PaymentRequest) -> Payment:
    payment = shop.hold(plea)
    Payment.objects.filter(pk=payment.pk).update(rail="native", next_step={"rail": "native", "url": "", "code": CODE})
    payment.refresh_from_db()
    return payment


def test_until_the_wallet_confirms_the_receipt_waits(client: Client) -> None:
    payment = shop.hold(shop.make_request())
    page = client.get(page_of(payment))
    assert "Waiting for Sandbox wallet" in words(page)
    assert f"/ws/p/{payment.request.token}/" in page.content.decode()


def test_the_receipt_tells_what_was_paid_and_for_what(client: Client) -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    text = words(client.get(page_of(payment)))
    for word in ("Thank you!", "CN¥90.00", "Harbour Tea", "Sandbox wallet", payment.public_id, "Spring oolong"):
        assert word in text


def test_what_failed_can_be_tried_again(client: Client) -> None:
    payment = shop.hold(shop.make_request())
    lifecycle.end_payment(payment.pk, cancelled=False)
    page = client.get(page_of(payment))
    assert "Nothing was paid" in words(page)
    assert f'href="/p/{payment.request.token}/"' in page.content.decode()


@pytest.mark.parametrize(
    ("status", "heading", "line"),
    [
        ("submitted", "Your money goes back to you", "On its way back CN¥90.00"),
        ("succeeded", "Your money is back with you", "Returned CN¥90.00"),
    ],
)
def test_late_money_is_seen_going_back(client: Client, status: str, heading: str, line: str) -> None:
    payment = shop.hold(shop.make_request())
    lifecycle.cancel_request(payment.request_id, actor="buyer")
    payment = shop.succeed(payment)
    payment.refunds.update(
        status=status,
        next_attempt_at=None if status == "succeeded" else payment.succeeded_at,
        succeeded_at=payment.succeeded_at if status == "succeeded" else None,
    )
    text = words(client.get(page_of(payment)))
    assert heading in text
    assert line in text
    assert "It came after this request had ended" in text
    assert "Print" in text


def test_only_the_buyers_own_receipt_leads_to_the_buyers_page(client: Client) -> None:
    plea = shop.make_request()
    client.post(f"/checkout/{plea.order.token}/pay/", {"method": "sandbox"})
    own = Payment.objects.get()
    assert plea.order.token in client.get(page_of(own)).content.decode()
    Payment.objects.update(by_buyer=False)
    assert plea.order.token not in client.get(page_of(own)).content.decode()


def test_a_code_is_shown_to_be_scanned(client: Client) -> None:
    payment = native(shop.make_request())
    page = client.get(f"/pay/{payment.token}/")
    assert "Scan this with Sandbox wallet" in words(page)
    picture = client.get(f"/pay/{payment.token}/qr.svg")
    assert picture["Content-Type"] == "image/svg+xml"
    assert picture.content.startswith(b"<svg")


def test_a_decided_attempt_shows_no_code(client: Client) -> None:
    payment = native(shop.make_request())
    shop.succeed(payment)
    assert client.get(f"/pay/{payment.token}/")["Location"] == page_of(payment)


def test_no_code_no_picture(client: Client) -> None:
    payment = shop.hold(shop.make_request())
    assert client.get(f"/pay/{payment.token}/qr.svg").status_code == 404


def test_one_payer_cannot_find_anothers_receipt(client: Client) -> None:
    payment = shop.hold(shop.make_request())
    for guess in (payment.public_id, payment.reference, str(payment.pk), payment.request.token):
        assert client.get(f"/r/{guess}/").status_code == 404
