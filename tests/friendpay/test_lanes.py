"""Who waits for a wallet waits on threads of that wallet's own."""

import pytest

from friendpay import lanes


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/p/abc/pay/"),
        ("POST", "/checkout/abc/pay/"),
        ("GET", "/login/"),
        ("POST", "/r/abc/ask/"),
        ("POST", "/admin/payments/provideraccount/1/test/"),
        ("POST", "/admin/payments/provideraccount/1/change/"),
    ],
)
def test_what_may_call_a_wallet_never_holds_the_pages_threads(method: str, path: str) -> None:
    assert lanes.waits({"method": method, "path": path})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/p/abc/"),
        ("GET", "/p/abc/pay/"),
        ("POST", "/notify/wechatpay/acc_1/"),
        ("POST", "/p/abc/decline/"),
        ("GET", "/admin/payments/provideraccount/"),
        ("GET", "/r/abc/"),
    ],
)
def test_pages_and_notifications_wait_for_nobody(method: str, path: str) -> None:
    assert not lanes.waits({"method": method, "path": path})


@pytest.mark.parametrize(
    ("body", "wallet"),
    [
        (b"csrfmiddlewaretoken=x&method=wechatpay&name=Mei", "wechatpay"),
        (b"method=alipay", "alipay"),
        (b"name=method=card&method=sandbox", "sandbox"),
        (b"method=card", "card"),
        (b'--x\r\nContent-Disposition: form-data; name="method"\r\n\r\nalipay\r\n--x--', "alipay"),
        (b"method=anything", ""),
        (b"", ""),
        (b"method=%FF", ""),
    ],
)
def test_a_payer_waits_with_those_of_the_same_wallet_alone(body: bytes, wallet: str) -> None:
    assert lanes.lane({"method": "POST", "path": "/p/abc/pay/"}, body) == wallet


def test_the_desk_waits_by_itself() -> None:
    assert lanes.lane({"method": "POST", "path": "/admin/payments/provideraccount/1/test/"}, b"method=card") == "desk"
