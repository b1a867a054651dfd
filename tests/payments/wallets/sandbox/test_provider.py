"""The sandbox wallet through the interface that every wallet has."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from friendpay.kit import background, clock
from friendpay.kit.money import Money
from payments.wallets import registry
from payments.wallets.abilities import KnowsDisputes
from payments.wallets.base import (
    Account,
    BillLine,
    NextStep,
    Notification,
    NotificationRefused,
    Outcome,
    Provider,
    ProviderError,
    Rail,
    RefundOrder,
    Start,
    State,
)
from sandbox import bank
from sandbox.models import Charge, ChargeRefund, Notice
from sandbox.signing import sign

ACCOUNT = Account("acc_shop", live=False, config={"secret": "secret-of-the-shop"}, base_url="https://pay.example")
NOW = datetime(2031, 5, 4, 12, tzinfo=UTC)
CNY90 = Money(9000, "CNY")


@pytest.fixture
def wallet() -> Provider:
    return registry.get("sandbox")


@pytest.fixture(autouse=True)
def _no_background_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "run_later", lambda purpose, job: None)


@pytest.fixture
def start(db: None) -> Start:
    return Start(
        reference="ref-1",
        amount=CNY90,
        subject="Order 1001",
        method="sandbox",
        rail=Rail.REDIRECT,
        deadline=clock.now() + timedelta(minutes=5),
        notify_url="http://127.0.0.1:9/notify/sandbox/acc_shop/",
        return_url="https://pay.example/r/receipt/",
        cancel_url="https://pay.example/r/receipt/back/",
    )


def page(step: NextStep) -> str:
    """The reference of the page a payer is sent to."""
    return (step.url or step.code).rstrip("/").rpartition("/")[2]


def pay(wallet: Provider, start: Start) -> str:
    """Start and approve; the wallet's number of the transaction."""
    return bank.approve(page(wallet.start(ACCOUNT, start))).transaction


def send_back(wallet: Provider, transaction: str, amount: int = 9000, **changes: Any) -> Outcome:
    asked = RefundOrder("refund-1", "ref-1", transaction, Money(amount, "CNY"), charged=CNY90, reason="late")
    return wallet.refund(ACCOUNT, replace(asked, **changes))


def test_the_payer_is_sent_to_an_absolute_address(wallet: Provider, start: Start) -> None:
    step = wallet.start(ACCOUNT, start)
    assert step == NextStep(Rail.REDIRECT, url=f"https://pay.example/sandbox/{page(step)}/")
    native = wallet.start(ACCOUNT, replace(start, rail=Rail.NATIVE))
    assert native == NextStep(Rail.NATIVE, code=step.url)
    assert Charge.objects.count() == 1


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (replace(ACCOUNT, live=True), "live_account"),
        (replace(ACCOUNT, config={}), "no_secret"),
        (replace(ACCOUNT, config={"secret": ""}), "no_secret"),
        (replace(ACCOUNT, base_url=""), "no_gateway"),
    ],
)
def test_an_account_it_cannot_serve_is_refused_for_good(
    wallet: Provider, start: Start, account: Account, code: str
) -> None:
    calls: list[Callable[[], object]] = [
        lambda: wallet.start(account, start),
        lambda: wallet.fetch(account, "ref-1"),
        lambda: wallet.close(account, "ref-1"),
        lambda: wallet.fetch_refund(account, reference="refund-1", charge="ref-1"),
        lambda: cast(KnowsDisputes, wallet).fetch_dispute(account, "dsp_1"),
        lambda: wallet.check(account),
        lambda: list(wallet.bill(account, NOW.date())),
    ]
    for call in calls:
        with pytest.raises(ProviderError) as refused:
            call()
        assert (refused.value.permanent, refused.value.code) == (True, code)
    assert not Charge.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [{"amount": Money(9001, "CNY")}, {"amount": Money(9000, "EUR")}, {"rail": Rail.JSAPI}, {"rail": Rail.H5}],
)
def test_a_start_that_does_not_fit_is_refused_for_good(wallet: Provider, start: Start, changes: dict[str, Any]) -> None:
    wallet.start(ACCOUNT, start)
    with pytest.raises(ProviderError) as refused:
        wallet.start(ACCOUNT, replace(start, **changes))
    assert refused.value.permanent
    assert Charge.objects.get().amount == 9000


def test_a_charge_is_pending_until_its_payer_decides(wallet: Provider, start: Start) -> None:
    assert wallet.fetch(ACCOUNT, "ref-1") == Outcome(State.UNKNOWN, "ref-1")
    wallet.start(ACCOUNT, start)
    assert wallet.fetch(ACCOUNT, "ref-1").state == State.PENDING


def test_an_approved_charge_succeeded_with_its_amount(wallet: Provider, start: Start) -> None:
    transaction = pay(wallet, start)
    outcome = Outcome(State.SUCCEEDED, "ref-1", provider_ref=transaction, amount=CNY90)
    assert wallet.fetch(ACCOUNT, "ref-1") == outcome
    assert wallet.close(ACCOUNT, "ref-1") == outcome


def test_a_refused_charge_failed(wallet: Provider, start: Start) -> None:
    bank.refuse(page(wallet.start(ACCOUNT, start)))
    outcome = wallet.fetch(ACCOUNT, "ref-1")
    assert (outcome.state, outcome.code, outcome.amount) == (State.FAILED, "refused", None)


def test_a_closed_charge_failed_and_takes_no_approval(wallet: Provider, start: Start) -> None:
    assert wallet.close(ACCOUNT, "ref-1").state == State.UNKNOWN
    ref = page(wallet.start(ACCOUNT, start))
    assert wallet.close(ACCOUNT, "ref-1").state == State.FAILED
    with pytest.raises(bank.Rejected):
        bank.approve(ref)
    assert wallet.fetch(ACCOUNT, "ref-1").state == State.FAILED
    assert wallet.start(ACCOUNT, start).url.endswith(f"/{ref}/")


def test_a_refund_goes_back_once_however_often_it_is_asked_for(wallet: Provider, start: Start) -> None:
    transaction = pay(wallet, start)
    assert wallet.fetch_refund(ACCOUNT, reference="refund-1", charge="ref-1").state == State.UNKNOWN
    first = send_back(wallet, transaction, 4000)
    assert (first.state, first.reference, first.amount) == (State.SUCCEEDED, "refund-1", Money(4000, "CNY"))
    assert send_back(wallet, transaction, 4000) == first
    assert wallet.fetch_refund(ACCOUNT, reference="refund-1", charge="ref-1") == first
    assert ChargeRefund.objects.count() == 1


@pytest.mark.parametrize(
    "changes", [{"amount": 9001}, {"charge": "ref-2"}, {"transaction": "txn_2"}, {"charged": Money(1, "CNY")}]
)
def test_a_refund_that_does_not_fit_is_refused_for_good(
    wallet: Provider, start: Start, changes: dict[str, Any]
) -> None:
    transaction = pay(wallet, start)
    with pytest.raises(ProviderError) as refused:
        send_back(wallet, **{"transaction": transaction, **changes})
    assert refused.value.permanent
    assert not ChargeRefund.objects.exists()


def test_the_bill_lists_what_moved(wallet: Provider, start: Start) -> None:
    transaction = pay(wallet, start)
    back = send_back(wallet, transaction, 100)
    Charge.objects.update(decided_at=NOW)
    ChargeRefund.objects.update(created_at=NOW)
    assert list(wallet.bill(ACCOUNT, NOW.date())) == [
        BillLine("charge", "ref-1", transaction, CNY90, State.SUCCEEDED),
        BillLine("refund", "refund-1", back.provider_ref, Money(100, "CNY"), State.SUCCEEDED, "ref-1", transaction),
    ]
    assert list(wallet.bill(ACCOUNT, NOW.date() + timedelta(days=1))) == []


def test_the_check_says_that_the_wallet_answers(wallet: Provider, db: None) -> None:
    assert "no real money" in wallet.check(ACCOUNT)
    assert not Charge.objects.exists()


# Notifications


def signed(body: bytes, *, secret: str = "secret-of-the-shop", at: float = 0, nonce: str = "n" * 24) -> dict[str, str]:
    timestamp = str(int(NOW.timestamp() + at))
    return {
        "sandbox-timestamp": timestamp,
        "sandbox-nonce": nonce,
        "sandbox-signature": sign(secret, timestamp, nonce, body),
    }


def genuine(**changes: Any) -> dict[str, Any]:
    charge = {"reference": "ref-1", "status": "paid", "transaction": "txn_1", "amount": 9000, "currency": "CNY"}
    plain = {"id": "sbx_1", "kind": "charge.paid", "account": "acc_shop", "charge": charge}
    return {**plain, **changes}


BODY = json.dumps(genuine()).encode()


def read(wallet: Provider, body: bytes = BODY, headers: dict[str, str] | None = None) -> Notification:
    return wallet.read_notification(ACCOUNT, signed(body) if headers is None else headers, body, NOW)


def refusal(wallet: Provider, body: bytes = BODY, headers: dict[str, str] | None = None) -> int:
    with pytest.raises(NotificationRefused) as refused:
        read(wallet, body, headers)
    return refused.value.reply.status


def test_what_the_wallet_writes_is_what_the_shop_reads(wallet: Provider, start: Start) -> None:
    transaction = pay(wallet, start)
    send_back(wallet, transaction, 100)
    bank.refuse(page(wallet.start(ACCOUNT, replace(start, reference="ref-2"))))
    for notice, outcome, about in zip(
        Notice.objects.order_by("id"),
        [
            wallet.fetch(ACCOUNT, "ref-1"),
            wallet.fetch_refund(ACCOUNT, reference="refund-1", charge="ref-1"),
            wallet.fetch(ACCOUNT, "ref-2"),
        ],
        ["charge", "refund", "charge"],
        strict=True,
    ):
        told = read(wallet, notice.body.encode())
        of = {"charge": "ref-1", "charge_ref": transaction} if about == "refund" else {}
        assert told == Notification(notice.event_id, notice.kind, outcome.reference, about, outcome, **of)


def test_reading_needs_no_database(wallet: Provider) -> None:
    assert read(wallet).outcome == Outcome(State.SUCCEEDED, "ref-1", provider_ref="txn_1", amount=CNY90)
    assert wallet.acknowledge().status == 204


@pytest.mark.parametrize("at", [-299, 0, 299])
def test_a_clock_a_little_off_is_borne(wallet: Provider, at: int) -> None:
    assert read(wallet, headers=signed(BODY, at=at)).event_id == "sbx_1"


@pytest.mark.parametrize("at", [-(10**9), -301, -300, 300, 301, 10**9])
def test_what_is_stale_or_from_the_future_is_refused(wallet: Provider, at: int) -> None:
    assert refusal(wallet, headers=signed(BODY, at=at)) == 401


@pytest.mark.parametrize("secret", ["", "secret-of-another-shop", "secret-of-the-sho"])
def test_another_key_is_refused(wallet: Provider, secret: str) -> None:
    assert refusal(wallet, headers=signed(BODY, secret=secret)) == 401


@pytest.mark.parametrize("config", [{}, {"secret": ""}])
def test_an_account_without_a_secret_believes_nobody(wallet: Provider, config: dict[str, str]) -> None:
    with pytest.raises(NotificationRefused):
        wallet.read_notification(replace(ACCOUNT, config=config), signed(BODY, secret=""), BODY, NOW)


def test_a_live_account_believes_no_play_money(wallet: Provider) -> None:
    with pytest.raises(NotificationRefused):
        wallet.read_notification(replace(ACCOUNT, live=True), signed(BODY), BODY, NOW)


def test_every_signed_byte_counts(wallet: Provider) -> None:
    headers = signed(BODY)
    assert refusal(wallet, BODY.replace(b"9000", b"9001"), headers) == 401
    assert refusal(wallet, BODY + b" ", headers) == 401
    assert refusal(wallet, headers={**headers, "sandbox-nonce": "m" * 24}) == 401
    moved = str(int(headers["sandbox-timestamp"]) + 1)
    assert refusal(wallet, headers={**headers, "sandbox-timestamp": moved}) == 401


@pytest.mark.parametrize("name", ["sandbox-timestamp", "sandbox-nonce", "sandbox-signature"])
@pytest.mark.parametrize(
    "value", [None, "", " ", "x" * 65, "-1", "1e9", "9" * 5000, "\u0661" * 10, "a\nb", "\udcff", "\u00e9", "\0"]
)
def test_headers_of_nonsense_are_refused(wallet: Provider, name: str, value: str | None) -> None:
    headers = signed(BODY)
    if value is None:
        del headers[name]
    else:
        headers[name] = value
    assert refusal(wallet, headers=headers) == 401


def test_a_notification_for_another_account_is_refused(wallet: Provider) -> None:
    assert refusal(wallet, json.dumps(genuine(account="acc_other")).encode()) == 401


CHARGE: dict[str, Any] = genuine()["charge"]
WRONG: list[dict[str, Any]] = [
    {"id": None},
    {"id": ""},
    {"id": "a b"},
    {"id": "\0"},
    {"id": "\ud800"},
    {"id": "x" * 65},
    {"kind": 1},
    {"kind": "refund.succeeded"},
    {"charge": None},
    {"charge": []},
    {"charge": {}},
    {"charge": {**CHARGE, "reference": ""}},
    {"charge": {**CHARGE, "status": "open sesame"}},
    {"charge": {**CHARGE, "status": []}},
    {"charge": {**CHARGE, "transaction": ""}},
    {"charge": {**CHARGE, "amount": 90.0}},
    {"charge": {**CHARGE, "amount": "9000"}},
    {"charge": {**CHARGE, "amount": True}},
    {"charge": {**CHARGE, "amount": 0}},
    {"charge": {**CHARGE, "amount": -9000}},
    {"charge": {**CHARGE, "currency": "XXX"}},
    {"charge": {**CHARGE, "currency": []}},
    {"charge": {**CHARGE, "currency": None}},
]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        BODY.decode().encode("utf-16"),
        b"[" * 60_000,
        b"9" * 5000,
        b'{"account":"acc_shop"}',
        *[json.dumps(genuine(**changes)).encode() for changes in WRONG],
    ],
)
def test_what_the_wallet_never_writes_is_refused_though_signed(wallet: Provider, body: bytes) -> None:
    assert refusal(wallet, body) == 400


def test_ten_mebibytes_are_refused_before_they_are_read(wallet: Provider) -> None:
    assert refusal(wallet, b" " * (10 * 2**20)) == 413
