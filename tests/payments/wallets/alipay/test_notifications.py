"""What Alipay tells us is verified and never believed: rules A1 to A6 as they concern notifications."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1

from friendpay.demo.emulation.base import rsa_key
from payments.wallets.alipay import gateway
from payments.wallets.alipay.emulator import server
from payments.wallets.base import Account, Notification, State
from tests.payments.wallets.alipay.shop import (
    CNY90,
    Shop,
    genuine,
    paid,
    provider,
    read,
    refund,
    refusal,
    split_anew,
    with_config,
)

VECTOR = json.loads((Path(__file__).parents[3] / "vectors/alipay_notify.json").read_text())


# A1: RSA2 alone


def test_official_vector_verifies() -> None:
    params = VECTOR["params"]
    config = {
        "app_id": params["app_id"],
        "seller_id": params["seller_id"],
        "alipay_public_key": VECTOR["alipay_public_key"],
    }
    account = Account(id="acc_1", live=True, config=config)
    received = datetime(2019, 8, 15, 7, 56, 26, tzinfo=UTC)

    assert read(account, params, received) == Notification(
        event_id="2019081500222155624068450559358070",
        kind="trade_status_sync:TRADE_SUCCESS",
        reference="20190815155618536-564-57",
        about="charge",
    )
    assert refusal(account, params | {"total_amount": "0.11"}, received) == 401


@pytest.mark.parametrize("sign_type", ["", "RSA", "MD5", "rsa2", None])
def test_a1_only_rsa2_is_accepted(alipay: server.Alipay, alipay_account: Account, sign_type: str | None) -> None:
    params = genuine(alipay)
    assert read(alipay_account, params).reference == "pay1"
    if sign_type is None:
        del params["sign_type"]
    else:
        params["sign_type"] = sign_type
    assert refusal(alipay_account, params) == 401


def test_a1_sha1_under_the_name_of_rsa2_is_refused(alipay: server.Alipay, alipay_account: Account) -> None:
    params = genuine(alipay)
    text = "&".join(f"{name}={params[name]}" for name in sorted(params) if name not in ("sign", "sign_type"))
    weak = rsa_key("alipay").sign(text.encode(), PKCS1v15(), SHA1())
    assert refusal(alipay_account, params | {"sign": base64.b64encode(weak).decode()}) == 401


# A2: the signed text is ambiguous


def test_a2_the_ambiguity_attack_is_real_and_refused(alipay: server.Alipay, alipay_account: Account) -> None:
    """A buyer got words of hers into the subject of a payment of 0.01, and shows them as fields of their own."""
    honest = genuine(alipay, subject="gift&total_amount=100.00&trade_no=1&trade_status=TRADE_SUCCESS&z=")
    forged = split_anew(honest, "z")
    assert forged["total_amount"] == "100.00"
    unsigned = {name: value for name, value in forged.items() if name not in ("sign", "sign_type")}
    key = rsa_key("alipay").public_key()
    assert gateway.verifies(gateway.signed_text(unsigned), honest["sign"], key)

    assert refusal(alipay_account, forged) == 400
    assert refusal(alipay_account, honest) == 400
    assert alipay.calls == []


@pytest.mark.parametrize(
    "body",
    [
        b"subject=a%26total_amount%3D100.00",  # a value that may be two fields
        b"subject%3Da%26x=1",  # a name that may be two
        b"total_amount=0.01&total_amount=100.00",  # two for one
        b"total_amount=0.01;total_amount=100.00&a%3Bb=1",
    ],
)
def test_a2_whatever_could_be_split_in_another_way_is_refused(
    alipay: server.Alipay, alipay_account: Account, body: bytes
) -> None:
    assert refusal(alipay_account, body + b"&" + urlencode({"sign": "AA==", "sign_type": "RSA2"}).encode()) == 400


# A3, A4: whose it is, and that it proves nothing


@pytest.mark.parametrize("name", ["app_id", "seller_id"])
def test_a3_a_notification_for_another_account_is_refused(
    alipay: server.Alipay, alipay_account: Account, name: str
) -> None:
    assert refusal(alipay_account, genuine(alipay, **{name: "2088999999999999"})) == 403
    nameless = genuine(alipay, **{name: ""})
    assert refusal(alipay_account, nameless) == 403
    assert refusal(with_config(alipay_account, **{name: ""}), nameless) == 401


def test_a4_a_notification_is_only_a_hint_that_a_query_confirms(
    alipay: server.Alipay, alipay_account: Account, alipay_shop: Shop
) -> None:
    """Even with Alipay's own signature on 100.00, what counts is what Alipay answers when asked."""
    paid(alipay_account)
    alipay.calls.clear()
    told = read(alipay_account, genuine(alipay, total_amount="100.00", out_trade_no="pay1"))
    assert told.outcome is None
    assert alipay.calls == []
    assert provider.fetch(alipay_account, told.reference).amount == CNY90


# A5: the answer


def test_a5_the_acknowledgement_is_exactly_seven_bytes() -> None:
    assert (provider.acknowledge().status, provider.acknowledge().body) == (200, b"success")


def test_a5_it_comes_again_until_acknowledged_with_the_same_notify_id(
    alipay: server.Alipay, alipay_account: Account, alipay_shop: Shop
) -> None:
    alipay_shop.down = 3
    paid(alipay_account, notify=f"{alipay_shop.url}/notify/")
    alipay_shop.until(lambda: alipay_shop.heard)
    assert len(alipay_shop.bodies) == 4
    alipay.notifier.settle()
    ids = {dict(parse_qsl(body.decode()))["notify_id"] for body in alipay_shop.bodies}
    assert ids == {alipay_shop.heard[0].event_id}
    assert [attempt.answer for attempt in alipay.notifier.log][-1] == "success"


# A6: refunds and late words


def test_a6_what_a_refund_notifies_is_about_the_refund_and_pays_nothing(
    alipay: server.Alipay, alipay_account: Account, alipay_shop: Shop
) -> None:
    paid(alipay_account, notify=f"{alipay_shop.url}/notify/")
    refund(alipay_account, "re1", 1000)
    alipay.clock.advance(4)
    refund(alipay_account, "re2", 8000)
    alipay_shop.until(lambda: len(alipay_shop.heard) == 3)

    assert [(told.about, told.reference, told.outcome) for told in alipay_shop.heard] == [
        ("charge", "pay1", None),
        ("refund", "re1", None),
        ("refund", "re2", None),
    ]
    assert len({told.event_id for told in alipay_shop.heard}) == 3
    assert (
        provider.fetch(alipay_account, "pay1").state is State.FAILED
    )  # refunded in full: nothing to take, nothing to pay again


def test_a6_a_late_notification_of_the_end_of_refunds_leads_to_the_same_payment(
    alipay: server.Alipay, alipay_account: Account, alipay_shop: Shop
) -> None:
    paid(alipay_account, notify=f"{alipay_shop.url}/notify/")
    before = provider.fetch(alipay_account, "pay1")
    alipay.end_refunds("pay1")
    alipay_shop.until(lambda: len(alipay_shop.heard) == 2)
    after = provider.fetch(alipay_account, alipay_shop.heard[1].reference)
    assert (after.state, after.provider_ref, after.amount) == (before.state, before.provider_ref, before.amount)


# Refused: nothing is stored, nobody is called


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("empty", 401),
        ("unsigned", 401),
        ("altered", 401),
        ("truncated", 401),
        ("not base64", 401),
        ("10 MiB", 413),
        ("not UTF-8", 400),
        ("not a form", 400),
        ("many fields", 400),
        ("future", 400),
        ("past", 400),
        ("no notify_id", 400),
        ("time in other words", 400),
    ],
)
def test_a_notification_that_is_not_whole_genuine_and_from_now_is_refused(
    alipay: server.Alipay, alipay_account: Account, what: str, status: int
) -> None:
    params = genuine(alipay)
    now = datetime.now(UTC)
    body = urlencode(params).encode()
    match what:
        case "empty":
            body = b""
        case "unsigned":
            body = urlencode(params | {"sign": ""}).encode()
        case "altered":
            body = urlencode(params | {"out_trade_no": "pay2"}).encode()
        case "truncated":
            body = urlencode({"sign_type": "RSA2", **params}).encode()[:-40]
        case "not base64":
            body = urlencode(params | {"sign": "键"}).encode()
        case "10 MiB":
            body += b"&x=" + b"x" * (10 << 20)
        case "not UTF-8":
            body += b"&x=%ff"
        case "not a form":
            body = json.dumps(params).encode()
        case "many fields":
            body += b"".join(b"&x%d=1" % i for i in range(200))
        case "future":
            now -= timedelta(minutes=6)
        case "past":
            now += timedelta(hours=27)
        case "no notify_id":
            unsigned = {name: params[name] for name in params if name not in ("notify_id", "sign", "sign_type")}
            body = urlencode(alipay.sign_params(unsigned)).encode()
        case "time in other words":
            body = urlencode(genuine(alipay, notify_time="yesterday")).encode()
    assert refusal(alipay_account, body, now) == status
    assert alipay.calls == []
