"""What the WeChat Pay provider believes of what it is told: rules W2 to W8. Refusing makes no call."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from friendpay.demo.emulation.base import rsa_key
from friendpay.kit.money import Money
from payments.wallets import transport
from payments.wallets.base import Account, NotificationRefused, Outcome, State
from payments.wallets.wechatpay.emulator import server
from payments.wallets.wechatpay.emulator.sealing import public_pem
from tests.payments.wallets.shop import Shop
from tests.payments.wallets.wechatpay.shop import (
    CNY90,
    REFUND,
    TRANSACTION,
    envelope,
    order,
    paid,
    pay,
    provider,
    read,
    refund,
    refusal,
    signed,
    with_config,
)

VECTOR = json.loads((Path(__file__).parents[3] / "vectors/wechatpay_notify.json").read_text(encoding="utf-8"))


@pytest.fixture
def account() -> Account:
    """An account whose provider's gateway does not exist."""
    return Account(id="acc_1", live=True, config=server.WeChatPay().account(), base_url="http://127.0.0.1:9")


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """No call goes out."""
    monkeypatch.setattr(transport, "_client", lambda *which: pytest.fail("a call went out"))


# The official vector


@pytest.fixture
def vector() -> tuple[Account, dict[str, str], bytes, datetime]:
    config = {
        "mchid": "1234567890",  # as decrypted
        "appid": "054aa7d7a2a54ab5898df65bd96f001c",
        "api_v3_key": VECTOR["api_v3_key"],
        "public_key": VECTOR["certificate"],
    }
    headers = {name.lower(): value for name, value in VECTOR["headers"].items()}
    now = datetime.fromtimestamp(int(headers["wechatpay-timestamp"]), UTC)
    return Account(id="acc_1", live=True, config=config), headers, VECTOR["body"].encode(), now


Vector = tuple[Account, dict[str, str], bytes, datetime]


@pytest.mark.usefixtures("silence")
def test_the_official_vector_verifies_and_decrypts(vector: Vector) -> None:
    told = provider.read_notification(*vector)
    assert (told.event_id, told.kind) == ("3119dfba-e649-5eec-ab1e-3412bc4d2e17", "PAYSCORE.USER_OPEN_SERVICE")
    assert (told.reference, told.outcome) == ("", None)  # nothing we deal in


@pytest.mark.usefixtures("silence")
@pytest.mark.parametrize(
    "change",
    [
        lambda headers, body: (headers, body.replace(b"3119dfba", b"3119dfbb")),
        lambda headers, body: (headers, body + b"\n"),
        lambda headers, body: (headers, body[:-1]),
        lambda headers, body: (headers, b""),
        lambda headers, body: (headers | {"wechatpay-nonce": "another"}, body),
        lambda headers, body: (headers | {"wechatpay-serial": "1"}, body),
        lambda headers, body: (headers | {"wechatpay-serial": ""}, body),
        lambda headers, body: (headers | {"wechatpay-signature": "WECHATPAY/SIGNTEST/vBQ2"}, body),
        lambda headers, body: (headers | {"wechatpay-signature": "ä"}, body),
        lambda headers, body: (headers | {"wechatpay-signature-type": "WECHATPAY2-SM2-WITH-SM3"}, body),
        lambda headers, body: ({}, body),
    ],
)
def test_w2_what_is_not_signed_by_wechat_pay_is_refused(
    vector: Vector, change: Callable[[dict[str, str], bytes], tuple[dict[str, str], bytes]]
) -> None:
    account, headers, body, now = vector
    with pytest.raises(NotificationRefused) as refused:
        provider.read_notification(account, *change(headers, body), now)
    assert refused.value.reply.status == 401
    assert json.loads(refused.value.reply.body)["code"] == "FAIL"


@pytest.mark.usefixtures("silence")
@pytest.mark.parametrize(
    ("off", "fresh"), [(-299, True), (299, True), (-300, False), (300, False), (-(10**9), False), (10**9, False)]
)
def test_w3_five_minutes_into_the_past_or_the_future_is_too_far(vector: Vector, off: int, fresh: bool) -> None:
    account, headers, body, now = vector
    if fresh:
        assert provider.read_notification(account, headers, body, now + timedelta(seconds=off))
        return
    with pytest.raises(NotificationRefused) as refused:
        provider.read_notification(account, headers, body, now + timedelta(seconds=off))
    assert refused.value.reply.status == 401


@pytest.mark.usefixtures("silence")
@pytest.mark.parametrize("timestamp", ["", "now", "1624523846.0", "-1624523846", "１６２４５２３８４６", "9" * 400])
def test_w3_a_timestamp_is_a_number_of_seconds(vector: Vector, timestamp: str) -> None:
    account, headers, body, now = vector
    with pytest.raises(NotificationRefused):
        provider.read_notification(account, headers | {"wechatpay-timestamp": timestamp}, body, now)


def test_w2_a_stranger_who_names_our_serial_is_refused(account: Account) -> None:
    body = envelope(TRANSACTION)
    assert read(account, body).outcome
    assert refusal(account, body, signed(body, key="a stranger")) == 401
    assert refusal(with_config(account, public_key=public_pem(rsa_key("a stranger"))), body) == 401


# What is inside


@pytest.mark.usefixtures("silence")
@pytest.mark.parametrize(
    "resource",
    [
        {"algorithm": "AEAD_SM4_GCM"},
        {"algorithm": None},
        {"nonce": ""},
        {"nonce": None},
        {"nonce": "another12345"},
        {"associated_data": "refund"},
        {"associated_data": 7},
        {"ciphertext": "AAAA"},
        {"ciphertext": "*"},
        {"ciphertext": None},
    ],
)
def test_w4_what_does_not_decrypt_is_refused(account: Account, resource: dict[str, Any]) -> None:
    assert refusal(account, envelope(TRANSACTION, **resource)) == 400


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"id": "1", "event_type": "X", "resource": []}', b"{}"],
)
def test_w4_a_signed_body_of_another_form_is_refused(account: Account, body: bytes) -> None:
    assert refusal(account, body) == 400


def test_w4_another_accounts_key_does_not_open_it(account: Account) -> None:
    assert refusal(with_config(account, api_v3_key="another-key-of-exactly-32-chars!"), envelope(TRANSACTION)) == 400


def test_w5_a_payment_that_matches_carries_its_outcome(account: Account) -> None:
    told = read(account, envelope(TRANSACTION))
    transaction = "4200002611221234567890123456"
    assert (told.event_id, told.about, told.reference) == ("event-1", "charge", "payment1")
    assert told.outcome == Outcome(State.SUCCEEDED, "payment1", transaction, CNY90)


@pytest.mark.parametrize("field", ["mchid", "appid"])
def test_w5_a_payment_to_another_merchant_or_app_is_refused(account: Account, field: str) -> None:
    assert refusal(account, envelope(TRANSACTION | {field: "another"})) == 400
    missing = {name: value for name, value in TRANSACTION.items() if name != field}
    assert refusal(account, envelope(missing)) == 400


@pytest.mark.parametrize("state", ["NOTPAY", "CLOSED", "REVOKED", "USERPAYING", "PAYERROR", "REFUND", "ACCEPT"])
def test_w5_another_trade_state_than_success_is_only_a_hint_to_ask(account: Account, state: str) -> None:
    told = read(account, envelope(TRANSACTION | {"trade_state": state}))
    assert (told.reference, told.outcome) == ("payment1", None)


def test_w5_a_wrong_amount_or_currency_is_told_as_it_is(account: Account) -> None:
    def amount(**changed: object) -> Money | None:
        content: dict[str, Any] = deepcopy(TRANSACTION)
        content["amount"] |= changed
        outcome = read(account, envelope(content)).outcome
        return outcome.amount if outcome else None

    assert amount(total=8999) == Money(8999, "CNY")
    assert amount(currency="USD") == Money(9000, "USD")


@pytest.mark.parametrize(
    "amount",
    [
        None,
        {},
        {"total": 9000},
        {"total": "9000", "currency": "CNY"},
        {"total": 90.0, "currency": "CNY"},
        {"total": True, "currency": "CNY"},
        {"total": 9000, "currency": "XXX"},
        {"total": 9000, "currency": None},
    ],
)
def test_w5_an_amount_that_is_no_amount_is_refused(account: Account, amount: object) -> None:
    assert refusal(account, envelope(TRANSACTION | {"amount": amount})) == 400


def test_w5_a_success_without_a_transaction_is_refused(account: Account) -> None:
    assert refusal(account, envelope(TRANSACTION | {"transaction_id": ""})) == 400
    assert refusal(account, envelope(TRANSACTION | {"out_trade_no": 7})) == 400


@pytest.mark.parametrize(
    ("word", "state"), [("SUCCESS", State.SUCCEEDED), ("CLOSED", State.FAILED), ("ABNORMAL", State.PENDING)]
)
def test_w8_the_end_of_a_refund_is_told(account: Account, word: str, state: State) -> None:
    told = read(account, envelope(REFUND | {"refund_status": word}, event=f"REFUND.{word}"))
    assert (told.about, told.reference) == ("refund", "refund1")
    assert told.outcome
    assert (told.outcome.state, told.outcome.amount) == (state, Money(1000, "CNY") if word == "SUCCESS" else None)


def test_w8_a_refund_of_another_merchant_is_refused(account: Account) -> None:
    assert refusal(account, envelope(REFUND | {"mchid": "another"}, event="REFUND.SUCCESS")) == 400


def test_an_account_without_its_keys_refuses_everything(account: Account) -> None:
    for field, status in (("public_key", 401), ("api_v3_key", 400), ("mchid", 400), ("appid", 400)):
        assert refusal(with_config(account, **{field: ""}), envelope(TRANSACTION)) == status


# As WeChat Pay sends them


def test_w6_a_stored_one_is_answered_204_and_never_sent_again(
    wechatpay: server.WeChatPay, wechatpay_account: Account, wechatpay_shop: Shop
) -> None:
    paid(wechatpay, wechatpay_account, notify=f"{wechatpay_shop.url}/notify/")
    wechatpay.clock.advance(86400)
    wechatpay.notifier.settle()
    assert [attempt.status for attempt in wechatpay.notifier.log] == [204]
    told = wechatpay_shop.heard[0]
    assert told.outcome == provider.fetch(wechatpay_account, "payment1")


def test_w6_while_we_are_down_it_is_sent_again_with_the_same_id(
    wechatpay: server.WeChatPay, wechatpay_account: Account, wechatpay_shop: Shop
) -> None:
    wechatpay_shop.down = 3
    paid(wechatpay, wechatpay_account, notify=f"{wechatpay_shop.url}/notify/")
    wechatpay_shop.until(lambda: wechatpay_shop.heard)
    wechatpay.notifier.settle()
    assert [attempt.status for attempt in wechatpay.notifier.log] == [500, 500, 500, 204]


def test_w6_fifteen_times_and_no_more(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    paid(wechatpay, wechatpay_account, notify=f"{wechatpay.url}/nobody/")
    for _ in range(20):
        wechatpay.clock.advance(86400)
        wechatpay.notifier.settle()
    assert len(wechatpay.notifier.log) == 16


def test_w8_a_refund_is_told_where_the_account_says(
    wechatpay: server.WeChatPay, wechatpay_account: Account, wechatpay_shop: Shop
) -> None:
    told_at = Account(
        id="acc_1",
        live=False,
        config=wechatpay_account.config,
        base_url=wechatpay.url,
        notify_url=f"{wechatpay_shop.url}/notify/",
    )
    paid(wechatpay, told_at)
    assert refund(told_at, minor=1000).state == State.PENDING
    wechatpay_shop.until(lambda: wechatpay_shop.heard)
    told = wechatpay_shop.heard[0]
    assert (told.kind, told.about, told.reference) == ("REFUND.SUCCESS", "refund", "refund1")
    assert told.outcome == provider.fetch_refund(told_at, reference="refund1", charge="payment1")


def test_a_payment_refused_by_the_payer_is_not_told(
    wechatpay: server.WeChatPay, wechatpay_account: Account, wechatpay_shop: Shop
) -> None:
    step = provider.start(wechatpay_account, order(notify=f"{wechatpay_shop.url}/notify/"))
    pay(wechatpay, step, "refuse")
    wechatpay.notifier.settle()
    assert wechatpay_shop.heard == []
