"""Paying inside WeChat: the silent login, the sheet, and who has the last word. The wallet is the strict emulator."""

import html
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.test import Client

from friendpay.demo.emulation.base import running
from orders.models import Event
from orders.services import LineDraft
from payments.models import Payment, PaymentRequest, ProviderAccount
from payments.settlement import lifecycle, reconcile, requests
from payments.settlement.rules import Split
from payments.wallets.wechatpay.emulator import server
from payments.wallets.wechatpay.emulator.phone import PAYER
from tests import agents, shop
from tests.pages import Answer, words

pytestmark = pytest.mark.django_db
INSIDE = {"User-Agent": agents.WECHAT_IPHONE}


@pytest.fixture
def wallet() -> Iterator[server.WeChatPay]:
    with running(wallet := server.WeChatPay()):
        yield wallet


@pytest.fixture
def payment_request(wallet: server.WeChatPay) -> PaymentRequest:
    payment_request = shop.make_request(split=Split(max_payers=3))
    account = ProviderAccount(
        merchant=payment_request.merchant, provider="wechatpay", base_url=wallet.url, granted=["h5"]
    )
    account.config = wallet.account()
    account.save()
    return payment_request


@pytest.fixture
def friend() -> Client:
    return Client(headers=INSIDE)


def tap(friend: Client, payment_request: PaymentRequest, **more: str) -> Any:
    return friend.post(f"/p/{payment_request.token}/pay/", {"method": "wechatpay", **more})


def login(answer: Any) -> str:
    """Follow to WeChat and back: the address our page is called at."""
    assert answer.status_code == 303
    back = httpx.get(answer["Location"], headers=INSIDE, trust_env=False)
    assert back.status_code == 302, back.text
    parts = urlsplit(back.headers["Location"])
    return f"{parts.path}?{parts.query}"


def pay(friend: Client, payment_request: PaymentRequest, **more: str) -> Payment:
    """Tap, log in, and stand before the sheet."""
    answer = friend.get(login(tap(friend, payment_request, **more)))
    assert answer.status_code == 303
    payment = Payment.objects.get()
    assert answer["Location"] == f"/pay/{payment.token}/"
    return payment


def sheet(page: Answer) -> dict[str, str]:
    """What the page's button hands to WeChat."""
    found = re.search(r'data-wallet="([^"]+)"', page.content.decode())
    assert found
    params: dict[str, str] = json.loads(html.unescape(found[1]))
    return params


def approve(wallet: server.WeChatPay, params: dict[str, str], choice: str = "approve") -> str:
    answer = httpx.post(f"{wallet.url}/bridge", json={"choice": choice, "params": params}, trust_env=False)
    word: str = answer.json()["err_msg"]
    return word


def test_one_tap_logs_in_silently_and_opens_the_sheet(
    wallet: server.WeChatPay, payment_request: PaymentRequest, friend: Client
) -> None:
    payment = pay(friend, payment_request, name="Mei", amount="30.00")
    assert (payment.rail, payment.status, payment.amount, payment.payer_name) == ("jsapi", "pending", 3000, "Mei")
    page = friend.get(f"/pay/{payment.token}/")
    assert "Continue in WeChat Pay" in words(page)
    assert approve(wallet, sheet(page)) == "get_brand_wcpay_request:ok"


def test_w11_the_sheets_ok_marks_nothing_paid(
    wallet: server.WeChatPay, payment_request: PaymentRequest, friend: Client, move_time: Callable[[float], None]
) -> None:
    payment = pay(friend, payment_request)
    approve(wallet, sheet(friend.get(f"/pay/{payment.token}/")))
    assert "Checking your payment" in words(friend.get(f"/r/{payment.token}/"))
    payment.refresh_from_db()
    assert payment.status == "pending"
    move_time(60)
    reconcile.ask()
    assert "Thank you!" in words(friend.get(f"/r/{payment.token}/"))


def test_closing_the_sheet_leaves_the_payment_open(
    wallet: server.WeChatPay, payment_request: PaymentRequest, friend: Client, move_time: Callable[[float], None]
) -> None:
    payment = pay(friend, payment_request)
    params = sheet(friend.get(f"/pay/{payment.token}/"))
    assert approve(wallet, params, "refuse") == "get_brand_wcpay_request:cancel"
    move_time(60)
    reconcile.ask()
    payment.refresh_from_db()
    assert payment.status == "pending"
    again = friend.get(f"/pay/{payment.token}/")
    assert "Continue in WeChat Pay" in words(again)
    assert approve(wallet, sheet(again)) == "get_brand_wcpay_request:ok"
    move_time(60)
    reconcile.ask()
    payment.refresh_from_db()
    assert payment.status == "succeeded"


def test_tapping_twice_begins_once(payment_request: PaymentRequest, friend: Client) -> None:
    first = pay(friend, payment_request)
    assert pay(friend, payment_request) == first


def test_the_payers_id_is_kept_nowhere(
    wallet: server.WeChatPay, payment_request: PaymentRequest, friend: Client
) -> None:
    payment = pay(friend, payment_request)
    assert wallet.book.orders[payment.reference].content["payer"] == {"openid": PAYER}
    for table in (Payment, PaymentRequest, Event):
        assert PAYER not in str(table._default_manager.values())
    assert PAYER not in str(friend.cookies)
    assert PAYER not in friend.get(f"/pay/{payment.token}/").content.decode()


def test_the_apps_secret_gets_into_no_log(
    payment_request: PaymentRequest, friend: Client, caplog: pytest.LogCaptureFixture
) -> None:
    pay(friend, payment_request)
    assert server.APP_SECRET not in caplog.text


def test_the_buyer_herself_comes_back_as_the_buyer(payment_request: PaymentRequest, friend: Client) -> None:
    address = f"/checkout/{payment_request.order.token}/pay/"
    assert friend.get(login(friend.post(address, {"method": "wechatpay"}))).status_code == 303
    assert Payment.objects.get().by_buyer


def test_without_a_script_the_page_says_what_is_missing(payment_request: PaymentRequest, friend: Client) -> None:
    page = friend.get(f"/pay/{pay(friend, payment_request).token}/")
    assert "WeChat Pay (simulated) needs JavaScript to open here." in words(page)
    assert "script-src 'self';" in page["Content-Security-Policy"]


def test_what_goes_to_wechat_tells_nothing_and_fits_its_rules(payment_request: PaymentRequest, friend: Client) -> None:
    query = parse_qs(urlsplit(tap(friend, payment_request, name="Mei")["Location"]).query)
    assert re.fullmatch(r"[a-zA-Z0-9]{32,128}", query["state"][0])
    assert urlsplit(query["redirect_uri"][0]).path == "/login/"
    assert payment_request.token not in str(query)
    assert query["scope"] == ["snsapi_base"]


# Those who did not tap


def nothing_begun() -> bool:
    return not Payment.objects.exists()


def test_nobody_else_can_use_a_login_link(payment_request: PaymentRequest, friend: Client) -> None:
    link = login(tap(friend, payment_request))
    stranger = Client(headers=INSIDE)
    assert stranger.get(link).status_code == 400
    tap(stranger, payment_request)  # with a choice of his own
    answer = stranger.get(link)
    assert answer.status_code == 400
    assert "Please tap again" in words(answer)
    assert nothing_begun()


@pytest.mark.parametrize("query", ["", "?code=1", "?state=", "?state=%00&code=1", f"?state={'0' * 64}&code=1"])
def test_a_login_without_a_choice_is_refused(payment_request: PaymentRequest, friend: Client, query: str) -> None:
    tap(friend, payment_request)
    assert friend.get(f"/login/{query}").status_code == 400
    assert nothing_begun()


def test_a_changed_choice_is_refused(payment_request: PaymentRequest, friend: Client) -> None:
    link = login(tap(friend, payment_request, amount="30.00"))
    other = tap(friend, payment_request, amount="0.01")
    friend.cookies["choice"] = other.cookies["choice"].value
    assert friend.get(link).status_code == 400
    assert nothing_begun()


def test_a_choice_lasts_five_minutes(
    payment_request: PaymentRequest, friend: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = login(tap(friend, payment_request))
    in_a_while = time.time() + 301
    monkeypatch.setattr(time, "time", lambda: in_a_while)
    assert friend.get(link).status_code == 400
    assert nothing_begun()


def test_a_login_that_is_loaded_twice_begins_once(payment_request: PaymentRequest, friend: Client) -> None:
    """WeChat on Android does that at times; its code works once."""
    link = login(tap(friend, payment_request))
    first, again = friend.get(link), friend.get(link)
    assert (first.status_code, again.status_code) == (303, 303)
    assert first["Location"] == again["Location"] == f"/pay/{Payment.objects.get().token}/"


def test_when_wechat_does_not_know_her_the_page_says_so_and_holds_nothing(
    payment_request: PaymentRequest, friend: Client
) -> None:
    link = login(tap(friend, payment_request))
    answer = friend.get(re.sub(r"code=\w+", "code=invented", link))
    assert answer.status_code == 503
    assert "This wallet does not answer. Nothing was paid" in words(answer)
    assert nothing_begun()


def test_what_was_cancelled_meanwhile_is_told(payment_request: PaymentRequest, friend: Client) -> None:
    link = login(tap(friend, payment_request))
    lifecycle.cancel_request(payment_request.pk, actor="buyer")
    assert "No longer needed" in words(friend.get(link))
    assert nothing_begun()


def test_outside_wechat_a_forged_choice_finds_no_such_rail(payment_request: PaymentRequest, friend: Client) -> None:
    link = login(tap(friend, payment_request))
    friend.defaults["HTTP_USER_AGENT"] = agents.SAFARI_IPHONE
    friend.get(link)
    assert not Payment.objects.filter(rail="jsapi").exists()


def test_a_price_that_changed_while_wechat_was_asked_is_shown_first(
    payment_request: PaymentRequest, friend: Client
) -> None:
    link = login(tap(friend, payment_request, price="9000", amount="30.00"))
    requests.change_order(payment_request.order_id, [LineDraft("Spring oolong, 100 g", 1, 20000)])
    answer = friend.get(link)
    assert answer.status_code == 409
    assert "The price has changed: the total is now CN¥200.00." in words(answer)
    assert nothing_begun()
