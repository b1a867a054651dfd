"""The payer's own pages: the code to scan, and the receipt."""

import pytest
from django.test import Client

from friendpay.kit.money import Money
from payments.models import Payment, PaymentRequest
from payments.settlement import lifecycle, outside, reconcile, refund_moves
from payments.settlement.rules import Split
from payments.share import receipt_numbers
from payments.wallets.base import Outcome, State
from tests import shop
from tests.pages import words

pytestmark = pytest.mark.django_db

CODE = "weixin://wxpay/bizpayurl?pr=abc"


def page_of(payment: Payment) -> str:
    return f"/r/{payment.token}/"


def native(payment_request: PaymentRequest) -> Payment:
    payment = shop.hold(payment_request)
    Payment.objects.filter(pk=payment.pk).update(rail="native", next_step={"rail": "native", "url": "", "code": CODE})
    payment.refresh_from_db()
    return payment


def test_until_the_wallet_confirms_the_receipt_waits(client: Client) -> None:
    payment = shop.hold(shop.make_request())
    page = client.get(page_of(payment))
    assert "Checking your payment" in words(page)
    assert '<div class="dock patient">' in page.content.decode()  # no empty bar until its buttons are there
    assert f"/ws/p/{payment.request.token}/" in page.content.decode()


def test_the_receipt_tells_what_was_paid_and_for_what(client: Client) -> None:
    payment = shop.succeed(shop.hold(shop.make_request()))
    text = words(client.get(page_of(payment)))
    numbers = (receipt_numbers.number(payment.pk), payment.provider_ref)  # ours, to be said, and the wallet's own
    for word in ("Thank you!", "CN¥90.00", "Harbour Tea", "Sandbox wallet", *numbers, "Spring oolong"):
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
        ("submitted", "Your money is being returned", "On its way back CN¥90.00"),
        ("succeeded", "Your money has been returned", "Returned CN¥90.00"),
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
    assert "It arrived after the request had ended" in text
    assert "Print" in text


def test_only_the_buyers_own_receipt_leads_to_the_buyers_page(client: Client) -> None:
    payment_request = shop.make_request()
    client.post(f"/checkout/{payment_request.order.token}/pay/", {"method": "sandbox"})
    own = Payment.objects.get()
    assert payment_request.order.token in client.get(page_of(own)).content.decode()
    Payment.objects.update(by_buyer=False)
    assert payment_request.order.token not in client.get(page_of(own)).content.decode()


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


def refunded(status: str) -> Payment:
    payment = shop.hold(shop.make_request())
    lifecycle.cancel_request(payment.request_id, actor="buyer")
    payment = shop.succeed(payment)
    payment.refunds.update(status=status, next_attempt_at=None)
    return payment


def test_a_refund_that_failed_is_not_said_to_be_on_its_way(client: Client) -> None:
    payment = refunded("failed")
    text = words(client.get(page_of(payment)))
    assert "Your refund has not gone through yet" in text
    assert "CN¥90.00 could not be returned yet. Harbour Tea is dealing with it." in text
    assert "goes back to you" not in text
    assert "has refunded" not in text


def test_the_buyer_is_told_what_becomes_of_parts(client: Client) -> None:
    payment_request = shop.make_request(split=Split(3))
    shop.succeed(shop.hold(payment_request, 3000, name="Mei"))
    lifecycle.cancel_request(payment_request.pk, actor="buyer")
    address = f"/checkout/{payment_request.order.token}/"
    assert "CN¥30.00 is on its way back." in words(client.get(address))
    refund = Payment.objects.get().refunds.get()
    refund.__class__.objects.update(status="failed", next_attempt_at=None)
    assert "CN¥30.00 could not be returned yet." in words(client.get(address))
    assert "Nobody was charged" not in words(client.get(address))


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        (("succeeded", "failed"), "CN¥20.00 could not be returned yet."),
        (("succeeded", "submitted"), "CN¥20.00 is on its way back."),
        (("failed", "submitted"), "CN¥30.00 could not be returned yet."),
        (("returned_elsewhere", "succeeded"), "CN¥50.00 has been returned."),
    ],
)
def test_of_refunds_that_stand_differently_the_sum_said_is_theirs(
    statuses: tuple[str, str], said: str, client: Client
) -> None:
    payment_request = shop.make_request(split=Split(3))
    parts = [shop.succeed(shop.hold(payment_request, part, name=str(part))) for part in (3000, 2000)]
    lifecycle.cancel_request(payment_request.pk, actor="buyer")
    for part, status in zip(parts, statuses, strict=True):
        waits = payment_request.created_at if status == "submitted" else None
        back, how = (payment_request.created_at, "by hand") if status == "returned_elsewhere" else (None, "")
        part.refunds.update(
            status=status,
            next_attempt_at=waits,
            succeeded_at=payment_request.created_at if status == "succeeded" else None,
            closed_at=back,
            returned_how=how,
        )
    text = words(client.get(f"/checkout/{payment_request.order.token}/"))
    assert said in text
    assert "CN¥50.00" not in text or "50" in said


def test_where_nobody_paid_nobody_was_charged(client: Client) -> None:
    payment_request = shop.make_request()
    lifecycle.cancel_request(payment_request.pk, actor="buyer")
    assert "Nobody was charged." in words(client.get(f"/checkout/{payment_request.order.token}/"))


def test_a_part_goes_back_because_it_was_cancelled_not_because_time_was_over(client: Client) -> None:
    payment_request = shop.make_request(split=Split(3))
    payment = shop.succeed(shop.hold(payment_request, 3000, name="Mei"))
    lifecycle.cancel_request(payment_request.pk, actor="buyer")
    text = words(client.get(page_of(payment)))
    assert "The request was cancelled." in text
    assert "did not come together" not in text


def test_the_receipt_of_a_part_says_what_is_missing(client: Client) -> None:
    payment_request = shop.make_request(split=Split(3))
    payment = shop.succeed(shop.hold(payment_request, 3000, name="Mei"))
    text = words(client.get(page_of(payment)))
    assert "CN¥30.00 of CN¥90.00 is paid" in text
    assert "everyone gets their money back" in text


def test_money_the_payers_bank_has_is_said_to_be_there(client: Client) -> None:
    first, second = shop.attempts(shop.make_request(), 2)
    kept = shop.succeed(first)
    outside.hear_dispute(kept.pk, Outcome(State.PENDING, "", "dp_1", Money(4000, "CNY")))
    text = words(client.get(page_of(kept)))
    assert "Thank you!" in text
    assert "With your bank, at your request CN¥40.00" in text
    second = shop.succeed(second)
    outside.hear_dispute(second.pk, Outcome(State.FAILED, "", "dp_2", Money(9000, "CNY")))
    assert "With your bank" not in words(client.get(page_of(second)))  # its refund is on the way
    refund_moves.move_refund(second.refunds.get().pk, "failed")
    text = words(client.get(page_of(second)))
    assert "Your bank is handling this" in text
    assert "You asked your bank to return CN¥90.00. The bank will decide." in text
    assert "Thank you!" not in text


def test_who_was_overtaken_reads_that_somebody_else_pays(client: Client) -> None:
    payment_request = shop.make_request()
    first = shop.hold(payment_request)
    lifecycle.end_payment(first.pk, cancelled=True)
    second = shop.hold(payment_request)
    text = words(client.get(page_of(first)))
    assert "Someone else is paying now." in text
    assert "Try again" not in text
    shop.succeed(second)
    assert "Someone else has paid." in words(client.get(page_of(first)))
    assert "Receipt no." not in text


def test_coming_back_asks_the_wallet_but_not_all_the_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(reconcile, "ask", asked.append)
    payment = shop.hold(shop.make_request())
    for _tap in range(3):
        assert client.post(page_of(payment) + "check/")["Location"] == page_of(payment)
    assert client.get(page_of(payment) + "check/")["Location"] == page_of(payment)
    elsewhere = client.post(page_of(payment) + "check/", headers={"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 303
    assert asked == [payment.pk]
    shop.succeed(payment)
    client.post(page_of(payment) + "check/")
    assert asked == [payment.pk]


def test_who_cancelled_in_the_wallet_is_back_at_the_choice_and_told_once(client: Client) -> None:
    payment = shop.hold(shop.make_request())
    answer = client.get(page_of(payment) + "back/")
    assert answer["Location"] == f"/p/{payment.request.token}/"
    assert "You came back without paying" in words(client.get(answer["Location"]))
    assert "You came back without paying" not in words(client.get(answer["Location"]))


def test_a_waiting_receipt_has_no_button_that_pays_again(client: Client) -> None:
    payment = shop.hold(shop.make_request())
    page = client.get(page_of(payment)).content.decode()
    assert 'class="btn"' not in page
    assert "I didn&#39;t pay: try again" in page


def test_who_paid_herself_is_led_back_to_the_shop(client: Client) -> None:
    payment_request = shop.make_request()
    payment_request.order.__class__.objects.update(return_url="https://shop.example/thanks")
    client.post(f"/checkout/{payment_request.order.token}/pay/", {"method": "sandbox"})
    assert "Back to Harbour Tea" in words(client.get(f"/checkout/{payment_request.order.token}/"))
    own = shop.succeed(Payment.objects.get())
    assert 'class="btn" href="https://shop.example/thanks"' in client.get(page_of(own)).content.decode()
    Payment.objects.update(by_buyer=False)
    assert "shop.example" not in client.get(page_of(own)).content.decode()


def test_a_part_that_a_bank_took_back_was_charged(client: Client) -> None:
    payment_request = shop.make_request(split=Split(3))
    part = shop.succeed(shop.hold(payment_request, 3000))
    outside.hear_dispute(part.pk, Outcome(State.FAILED, "", "dp_1", Money(3000, "CNY")))
    lifecycle.cancel_request(payment_request.pk, actor="buyer")
    text = words(client.get(f"/checkout/{payment_request.order.token}/"))
    assert "Nobody was charged" not in text
    assert "CN¥30.00 went back through the payer's bank." in text
