"""friendpay's side of a shop's own gateway, against the strict stand-in: links, calls, answers, bills."""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from friendpay.demo.emulation.messages import Request, Response
from friendpay.kit.money import Money
from payments.wallets import transport
from payments.wallets.base import Account, BillLine, NeverBilled, NoBill, Outcome, ProviderError, State
from payments.wallets.house import gateway, signing
from payments.wallets.house.emulator.server import House
from payments.wallets.house.emulator.signing import Wrong
from payments.wallets.transport import Answer
from tests.payments.wallets.house.shop import EUR90, look, order, paid, pay, provider, refund
from tests.payments.wallets.shop import Shop


def says(url: str) -> dict[str, Any]:
    payload = parse_qs(urlsplit(url).query)["friendpay"][0].partition(".")[0]
    whole: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return whole


# The link


def test_a_link_says_what_is_to_be_paid_and_is_the_same_however_often_it_is_made(account: Account) -> None:
    start = order()
    step = provider.start(account, start)
    assert step == provider.start(account, start)
    told = says(step.url)
    assert (told["reference"], told["amount"], told["currency"]) == ("pay1", 9000, "EUR")
    assert told["expires"] == int(start.deadline.timestamp())
    assert (told["account"], told["live"], len(told["nonce"])) == ("acc_1", False, 32)


def test_an_address_with_a_query_of_its_own_keeps_it(account: Account) -> None:
    step = provider.start(replace(account, base_url="https://shop.example/?wc-api=friendpay"), order())
    assert step.url.startswith("https://shop.example/?wc-api=friendpay&friendpay=")


def test_a_payer_pays_once_by_it_and_is_led_back(account: Account, hearer: Shop) -> None:
    step = provider.start(account, order(notify=f"{hearer.url}/notify/"))
    assert provider.fetch(account, "pay1").state is State.UNKNOWN
    assert (look(step).status_code, look(step).status_code) == (200, 200)  # a page may be loaded anew
    assert provider.fetch(account, "pay1").state is State.PENDING
    answer = pay(step)
    assert (answer.status_code, answer.headers["location"]) == (302, "http://127.0.0.1:9/r/token/")
    assert (look(step).status_code, pay(step).status_code) == (410, 410)
    told = provider.fetch(account, "pay1")
    assert (told.state, told.amount) == (State.SUCCEEDED, EUR90)
    hearer.until(lambda: hearer.heard)
    assert hearer.heard[0].outcome == told


@pytest.mark.parametrize(
    "change", [{"amount": 1}, {"expires": 2**40}, {"reference": "pay2"}, {"return_url": "http://x"}]
)
def test_a_link_that_was_tampered_with_is_refused(account: Account, change: dict[str, Any]) -> None:
    step = provider.start(account, order())
    key = signing.key_of(account)
    forged = signing.token(key, says(step.url) | change).partition(".")[0] + "." + step.url.rpartition(".")[2]
    assert look(f"{account.base_url}?friendpay={forged}").status_code == 403
    assert provider.fetch(account, "pay1").state is State.UNKNOWN


def test_a_second_link_of_one_payment_is_refused(account: Account) -> None:
    first = provider.start(account, order())
    assert look(first).status_code == 200
    other = signing.token(signing.key_of(account), says(first.url) | {"nonce": "0" * 32})
    assert look(f"{account.base_url}?friendpay={other}").status_code == 409


def test_a_link_ends_and_its_payment_with_it(account: Account, house: House) -> None:
    step = provider.start(account, order())
    look(step)
    house.clock.advance(16 * 60)
    assert (look(step).status_code, pay(step).status_code) == (410, 410)
    assert provider.fetch(account, "pay1").state is State.FAILED


# Closing


def test_what_is_closed_is_paid_no_more_even_if_nobody_had_opened_it(account: Account) -> None:
    opened, unseen = provider.start(account, order("a")), provider.start(account, order("b"))
    look(opened)
    for reference, step in (("a", opened), ("b", unseen)):
        for _time in range(2):
            assert provider.close(account, reference).state is State.FAILED
        assert pay(step).status_code in (409, 410)
        assert provider.fetch(account, reference).state is State.FAILED


def test_closing_what_is_paid_undoes_nothing(account: Account) -> None:
    paid(account)
    assert provider.close(account, "pay1").state is State.SUCCEEDED


# Refunds


def test_a_refund_goes_once_under_its_number(account: Account, house: House) -> None:
    capture = paid(account).provider_ref
    first = refund(account, capture, 4000)
    assert (first.state, first.amount) == (State.SUCCEEDED, Money(4000, "EUR"))
    assert refund(account, capture, 4000) == first
    assert provider.fetch_refund(account, reference="re1", charge="pay1") == first
    assert [back.amount for back in house.book.moved()[1]] == [4000]
    assert provider.fetch(account, "pay1").state is State.SUCCEEDED
    refund(account, capture, 5000, "re2")
    assert provider.fetch(account, "pay1").state is State.RETURNED


@pytest.mark.parametrize(
    ("minor", "reference", "currency"),
    [(9001, "re2", "EUR"), (8001, "re2", "EUR"), (10, "re1", "EUR"), (1, "re2", "USD")],
)
def test_a_refund_that_does_not_fit_is_refused_for_good(
    account: Account, house: House, minor: int, reference: str, currency: str
) -> None:
    capture = paid(account).provider_ref
    refund(account, capture, 1000)
    with pytest.raises(ProviderError) as error:
        refund(account, capture, minor, reference, currency)
    assert (error.value.permanent, error.value.for_shop) == (True, False)
    assert [back.amount for back in house.book.moved()[1]] == [1000]


def test_a_refund_waits_for_the_shops_balance(account: Account, house: House, hearer: Shop) -> None:
    capture = paid(account, notify=f"{hearer.url}/notify/").provider_ref
    house.book.balance_is_short = True
    waits = refund(account, capture)
    assert (waits.state, waits.code, waits.for_shop) == (State.PENDING, "balance", True)
    house.book.top_up()
    assert provider.fetch_refund(account, reference="re1", charge="pay1").state is State.SUCCEEDED
    hearer.until(lambda: len(hearer.heard) == 3)
    assert [heard.kind for heard in hearer.heard] == ["payment.captured", "refund.pending", "refund.succeeded"]


def test_a_refund_that_failed_after_all_is_dead_under_its_number(account: Account, house: House) -> None:
    capture = paid(account).provider_ref
    refund(account, capture)
    house.book.move_refund("re1", "failed")
    told = provider.fetch_refund(account, reference="re1", charge="pay1")
    assert (told.state, told.dead) == (State.FAILED, True)
    assert refund(account, capture).dead
    assert refund(account, capture, reference="re2").state is State.SUCCEEDED


def test_an_unknown_refund_is_unknown(account: Account) -> None:
    assert provider.fetch_refund(account, reference="re9", charge="pay1").state is State.UNKNOWN


# What the gateway refuses, and what it answers badly


def test_calls_that_are_not_ours_are_refused(account: Account, house: House) -> None:
    body = json.dumps({"type": "ping", "account": "acc_1", "live": False}).encode()
    key, now = signing.key_of(account), int(datetime.now(UTC).timestamp())
    good = signing.headers(key, "call_1", now, body)

    def call(headers: dict[str, str], sent: bytes = body) -> int:
        json_too = {"Content-Type": "application/json", **headers}
        return httpx.post(house.url, content=sent, headers=json_too, trust_env=False).status_code

    assert call({}) == 401
    assert call({**good, "webhook-signature": "v1,AAAA"}) == 401
    assert call(good, body.replace(b"acc_1", b"acc_2")) == 401
    assert call(signing.headers(key, "call_2", now - 301, body)) == 401
    assert call(signing.headers(key, "call_3", now + 330, body)) == 401
    assert call(signing.headers(b"another key of thirty-two bytes.", "call_4", now, body)) == 401
    assert call(good) == 200
    assert call(good) == 409  # a replay


@pytest.mark.parametrize("seconds", [-600, 600])
def test_a_machine_whose_clock_is_wrong_goes_by_the_gateways(
    account: Account, house: House, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    paid(account)
    real = time.time
    monkeypatch.setattr(gateway, "time", SimpleNamespace(time=lambda: real() + seconds))
    house.calls.clear()
    assert provider.fetch(account, "pay1").state is State.SUCCEEDED
    assert house.calls == ["payment.get"]


def test_a_wrong_secret_is_not_tried_twice(account: Account, house: House) -> None:
    stranger = replace(account, config={"secret": "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3I="})
    heard: list[str] = []
    answer = house.answer

    def counted(request: Request) -> Response | None:
        heard.append(request.operation)
        return answer(request)

    house.answer = counted  # type: ignore[method-assign]
    with pytest.raises(ProviderError):
        provider.fetch(stranger, "pay1")
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("wrong", "permanent", "for_shop"),
    [
        (Wrong(401, "signature", "no"), True, True),
        (Wrong(404, "", "no"), True, True),
        (Wrong(302, "", "elsewhere"), False, True),
        (Wrong(422, "refused", "no"), True, False),
        (Wrong(409, "busy", "later"), False, False),
        (Wrong(429, "busy", "later"), False, False),
        (Wrong(503, "down", "later"), False, False),
    ],
)
def test_a_no_is_what_it_is(account: Account, house: House, wrong: Wrong, permanent: bool, for_shop: bool) -> None:
    house.scripted = [wrong]
    with pytest.raises(ProviderError) as error:
        provider.fetch(account, "pay1")
    assert (error.value.permanent, error.value.for_shop) == (permanent, for_shop)


GOOD = {"account": "acc_1", "live": False}
CAPTURED = {"reference": "pay1", "status": "captured", "capture": "c1", "amount": 9000, "currency": "EUR"}


@pytest.mark.parametrize(
    "answer",
    [
        "nonsense",
        [],
        {},
        {**GOOD, "account": "acc_2", "payment": CAPTURED},
        {**GOOD, "live": True, "payment": CAPTURED},
        {**GOOD, "live": 0, "payment": CAPTURED},
        GOOD,
        {**GOOD, "payment": CAPTURED | {"reference": "pay2"}},
        {**GOOD, "payment": CAPTURED | {"amount": "9000"}},
        {**GOOD, "payment": CAPTURED | {"amount": 90.0}},
        {**GOOD, "payment": CAPTURED | {"amount": True}},
        {**GOOD, "payment": CAPTURED | {"amount": 0}},
        {**GOOD, "payment": CAPTURED | {"amount": -9000}},
        {**GOOD, "payment": CAPTURED | {"currency": "eur"}},
        {**GOOD, "payment": CAPTURED | {"capture": ""}},
        {**GOOD, "payment": CAPTURED | {"capture": "c 1"}},
        {**GOOD, "payment": CAPTURED | {"status": "paid"}},
    ],
)
def test_an_answer_that_is_not_the_protocols_is_never_believed(
    account: Account, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    body = json.dumps(answer).encode()
    monkeypatch.setattr(transport, "call", lambda *_args, **_more: Answer(200, {}, body))
    with pytest.raises(ProviderError) as error:
        provider.fetch(account, "pay1")
    assert not error.value.permanent


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!", "x" * 44, "whsec_" + "A" * 90])
def test_a_secret_that_is_none_signs_nothing(account: Account, secret: str) -> None:
    bad = replace(account, config={"secret": secret})
    calls: list[Callable[[], object]] = [
        lambda: provider.start(bad, order()),
        lambda: provider.check(bad),
        lambda: provider.read_notification(bad, {}, b"", datetime.now(UTC)),
    ]
    for call in calls:
        with pytest.raises(ProviderError, match="the secret must be"):
            call()


def test_a_live_account_speaks_https_alone(account: Account) -> None:
    live = replace(account, live=True)
    for call in (lambda: provider.start(live, order()), lambda: provider.check(live)):
        with pytest.raises(ProviderError) as error:
            call()
        assert error.value.for_shop


def test_an_account_is_tested_by_a_call(account: Account) -> None:
    assert provider.check(account) == "The shop's gateway knows this account and its secret (test mode)."


# Bills


def test_a_bill_has_what_was_captured_and_what_went_back(account: Account, house: House) -> None:
    day = house.clock.now().date()
    captures = [paid(account, f"p{number}").provider_ref for number in range(120)]
    refund(account, captures[0], 1000)
    refund(account, captures[1], 9000, "re2")
    with pytest.raises(NoBill):
        list(provider.bill(account, day))
    house.clock.advance(24 * 3600)
    lines = list(provider.bill(account, day))
    charges = [line for line in lines if line.about == "charge"]
    assert [line.provider_ref for line in charges] == captures
    assert {(line.state, line.amount) for line in charges} == {(State.SUCCEEDED, EUR90)}
    backs = [
        (line.reference, line.charge, line.charge_ref, line.amount.minor) for line in lines if line.about == "refund"
    ]
    assert backs == [("re1", "p0", captures[0], 1000), ("re2", "p1", captures[1], 9000)]
    assert list(provider.bill(account, day - timedelta(days=1))) == []


def test_without_bills_none_is_asked_for(account: Account, house: House) -> None:
    with pytest.raises(NeverBilled):
        list(provider.bill(replace(account, granted=frozenset()), house.clock.now().date()))
    assert house.calls == []


# Disputes


def test_a_dispute_is_asked_about_by_the_gateways_number(account: Account, house: House) -> None:
    paid(account)
    with house.lock:
        dispute = house.book.open_dispute("pay1", inquiry=True)
    for status, state in (
        ("inquiry", State.PENDING),
        ("open", State.PENDING),
        ("won", State.SUCCEEDED),
        ("lost", State.FAILED),
    ):
        with house.lock:
            house.book.move_dispute(dispute.number, status)
        told = provider.fetch_dispute(account, dispute.number)
        assert (told.state, told.provider_ref, told.amount) == (state, dispute.number, EUR90)
        assert (told.code, told.inquiry) == ("fraudulent", status == "inquiry")
    for asks, number in ((account, "dsp_unknown"), (replace(account, id="acc_2"), dispute.number)):
        assert provider.fetch_dispute(asks, number) == Outcome(State.UNKNOWN, "", number)


@pytest.mark.parametrize(
    "answer", [{}, {"dispute": {"number": "d", "status": "odd"}}, {"dispute": {"number": "d", "status": "lost"}}]
)
def test_an_answer_about_another_dispute_or_of_nonsense_says_nothing(
    account: Account, house: House, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    paid(account)
    with house.lock:
        dispute = house.book.open_dispute("pay1")
        other = house.book.open_dispute("pay1")
    monkeypatch.setattr(
        house, "_do", lambda said: answer or {"dispute": house.book.find_dispute("acc_1", other.number)}
    )
    with pytest.raises(ProviderError) as unreadable:
        provider.fetch_dispute(account, dispute.number)
    assert (unreadable.value.permanent, unreadable.value.code) == (False, "answer")


def test_a_bill_has_the_disputes_that_changed_that_day(account: Account, house: House) -> None:
    charge = paid(account)
    with house.lock:
        house.book.open_dispute("pay1", inquiry=True)
        dispute = house.book.open_dispute("pay1")
    day = house.clock.now().date()
    house.clock.advance(86_400)
    lines = [line for line in provider.bill(account, day) if line.about == "dispute"]
    assert lines == [
        BillLine("dispute", "", dispute.number, EUR90, State.PENDING, "pay1", charge.provider_ref, code="fraudulent")
    ]
