"""What a friend can do beside paying, and the buyer's thanks afterwards."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client

from orders.models import Event
from payments.models import Payment, PaymentRequest
from payments.settlement import lifecycle, refund_moves, refunds
from tests import shop
from tests.pages import words

pytestmark = pytest.mark.django_db


def file_of(payment_request: PaymentRequest, at: str = "") -> str:
    return f"/p/{payment_request.token}/remind.ics" + (f"?at={at}" if at else "")


def test_the_same_link_goes_on_to_somebody_else_without_the_amount(client: Client) -> None:
    payment_request = shop.make_request()
    page = unescape(client.get(f"/p/{payment_request.token}/").content.decode())
    found = re.search(r'data-share="([^"]+)"', page)
    assert found
    assert found[1] == (
        f"Could you help Lin with a payment at Harbour Tea? I can't just now. http://127.0.0.1:8000/p/{payment_request.token}/"
    )
    assert 'href="mailto:?body=Could%20you' in page  # for who has no script


def test_a_chosen_no_is_read_by_the_buyer_in_the_buyers_language(client: Client) -> None:
    payment_request = shop.make_request()
    page = client.get(f"/p/{payment_request.token}/")
    assert "Not this month, but do ask me again." in words(page)
    assert client.post(f"/p/{payment_request.token}/decline/", {"choice": "again", "note": ""}).status_code == 303
    chinese = Client(headers={"Accept-Language": "zh-CN"}).get(f"/checkout/{payment_request.order.token}/")
    assert "这个月不太方便，下次一定叫我。" in words(chinese)
    assert client.post(f"/p/{payment_request.token}/decline/", {"choice": "shame"}).status_code == 422
    assert Event.objects.filter(type="payment_request.declined").count() == 1


def test_the_calendar_file_reminds_in_time_and_tells_nobodys_business(client: Client) -> None:
    order = shop.make_order()
    order.buyer_name = "Lin Zhao-Winterbottom"
    order.save()
    payment_request = shop.make_request(order)
    answer = client.get(file_of(payment_request, "last"))
    assert answer["Content-Type"].startswith("text/calendar")
    text = answer.content.decode()
    lines = text.split("\r\n")
    assert (lines[0], lines[-2:]) == ("BEGIN:VCALENDAR", ["END:VCALENDAR", ""])
    assert all(len(line.encode()) <= 75 for line in lines)
    whole = text.replace("\r\n ", "")
    assert f"DTSTART:{payment_request.expires_at - timedelta(hours=1):%Y%m%dT%H%M%SZ}" in whole
    assert "SUMMARY:Lin is asking for help with a payment at Harbour Tea\r\n" in whole
    assert "BEGIN:VALARM" in whole
    assert f"URL:http://127.0.0.1:8000/p/{payment_request.token}/" in whole
    for private in ("Winterbottom", "90", "oolong", "A-1001"):
        assert private not in re.sub(r"(UID|URL|DT\w+):.*", "", whole)


def test_a_name_in_a_calendar_can_neither_end_its_line_nor_lead_elsewhere(client: Client) -> None:
    order = shop.make_order()
    order.buyer_name = "www.prize.example now"
    order.save()
    order.merchant.name = "Tea, cups;\nand\\more 茶" * 3
    order.merchant.save()
    text = client.get(file_of(shop.make_request(order))).content.decode()
    assert "prize" not in text
    assert "\\, cups\\; and\\\\more" in text.replace("\r\n ", "")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


@pytest.mark.parametrize(
    ("lasts", "keys"),
    [
        (timedelta(minutes=65), []),
        (timedelta(hours=2), ["hour"]),
        (timedelta(hours=24), ["hour", "later", "last"]),
        (timedelta(days=3), ["hour", "later", "tomorrow", "last"]),
    ],
)
def test_no_reminder_comes_too_late_to_pay(client: Client, lasts: timedelta, keys: list[str]) -> None:
    payment_request = shop.make_request(expires_in=lasts)
    page = client.get(f"/p/{payment_request.token}/").content.decode()
    assert re.findall(r'name="at" id="at-(\w+)"', page) == keys
    assert client.get(file_of(payment_request)).status_code == (200 if keys else 303)


def test_nothing_reminds_of_what_is_over(client: Client) -> None:
    payment_request = shop.make_request()
    lifecycle.cancel_request(payment_request.pk, actor="buyer")
    assert client.get(file_of(payment_request)).status_code == 303


def paid(client: Client) -> Payment:
    """A friend has paid, with the client's own cookie."""
    payment_request = shop.make_request()
    client.post(f"/p/{payment_request.token}/pay/", {"method": "sandbox", "name": "Mei"})
    return shop.succeed(Payment.objects.get())


def thank(payment: Payment, **given: str) -> int:
    return Client().post(f"/checkout/{payment.request.order.token}/thanks/", given).status_code


def test_a_thank_you_reaches_the_payers_receipt_and_page(client: Client) -> None:
    payment = paid(client)
    buyer = f"/checkout/{payment.request.order.token}/"
    assert "Say thank you" in words(client.get(buyer))
    assert thank(payment, choice="next") == 303
    for page in (f"/r/{payment.token}/", f"/p/{payment.request.token}/", buyer):
        assert "Thank you! The next one is on me." in words(client.get(page))
    chinese = Client(headers={"Accept-Language": "zh-CN"})
    assert "谢谢！下次我请。" in words(chinese.get(f"/r/{payment.token}/"))


def test_a_second_thank_you_changes_nothing(client: Client) -> None:
    payment = paid(client)
    assert [thank(payment, words="You are a star!"), thank(payment, choice="much")] == [303, 303]
    assert Event.objects.filter(type="payment_request.thanked").count() == 1
    assert "You are a star!" in words(client.get(f"/r/{payment.token}/"))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"choice": "rude"},
        {"words": "x" * 141},
        {"words": "see www.prize.example"},
        {"words": "call 13800138000"},
        {"words": "Hi\x07"},
    ],
)
def test_a_thank_you_that_cannot_be_is_refused_beside_its_field(client: Client, given: dict[str, str]) -> None:
    payment = paid(client)
    page = client.post(f"/checkout/{payment.request.order.token}/thanks/", given)
    assert page.status_code == 422
    assert given.get("choice") or 'id="id_words_error"' in page.content.decode()
    assert not Event.objects.filter(type="payment_request.thanked").exists()


def test_nobody_is_thanked_before_anything_is_paid_or_for_paying_oneself(client: Client) -> None:
    payment_request = shop.make_request()
    assert client.post(f"/checkout/{payment_request.order.token}/thanks/", {"choice": "much"}).status_code == 303
    assert not Event.objects.filter(type="payment_request.thanked").exists()
    client.post(f"/checkout/{payment_request.order.token}/pay/", {"method": "sandbox"})
    shop.succeed(Payment.objects.get())
    assert "Say thank you" not in words(client.get(f"/checkout/{payment_request.order.token}/"))


def test_refunds_stand_on_both_receipts_with_their_state_and_day(
    client: Client, move_time: Callable[[float], None]
) -> None:
    payment = paid(client)
    refund = refunds.refund_payment(payment.pk, 2000, actor="merchant")
    pages = (f"/r/{payment.token}/", f"/checkout/{payment.request.order.token}/receipt/")
    for page in pages:
        assert re.search(r"On its way back CN¥20\.00 \w+ \d+,? \d+:\d+ UTC by the shop", words(client.get(page)))
    assert "to Mei" in words(client.get(pages[1]))
    for status, line in (
        ("failed", "Could not be returned yet CN¥20.00 The wallet declined it"),
        ("succeeded", "Returned CN¥20.00"),
    ):
        refund_moves.move_refund(refund.pk, status)
        for page in pages:
            assert line in words(client.get(page))


def test_a_receipt_holds_no_address_and_no_account_of_the_buyer(client: Client) -> None:
    payment = paid(client)
    page = client.get(f"/r/{payment.token}/").content.decode()
    assert payment.request.order.token not in page
    assert "buyer_id" not in page
    own = client.get(f"/checkout/{payment.request.order.token}/receipt/").content.decode()
    assert payment.token not in own
    assert payment.provider_ref not in own
