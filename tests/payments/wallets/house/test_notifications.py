"""Events of a shop's own gateway: what is not signed, fresh, whole and for this account is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from friendpay.kit.money import Money
from payments.wallets.base import Account, Notification, State
from tests.payments.wallets.house.shop import event, provider, refusal, signed

REFUND = {"reference": "re1", "payment": "pay1", "capture": "cap_1", "number": "r_1", "amount": 500, "currency": "EUR"}


def read(account: Account, body: bytes, **more: Any) -> Notification:
    return provider.read_notification(account, signed(account, body, **more), body, datetime.now(UTC))


def test_a_capture_is_believed(account: Account) -> None:
    told = read(account, event(account))
    assert (told.about, told.reference, told.kind) == ("charge", "pay1", "payment.captured")
    assert told.outcome is not None
    assert (told.outcome.state, told.outcome.amount) == (State.SUCCEEDED, Money(9000, "EUR"))
    assert told.outcome.provider_ref == "cap_1"


def test_a_refund_names_its_capture(account: Account) -> None:
    told = read(account, event(account, type="refund.updated", refund=REFUND | {"status": "succeeded"}))
    assert (told.about, told.reference, told.number) == ("refund", "re1", "r_1")
    assert (told.charge, told.charge_ref) == ("pay1", "cap_1")


DISPUTE = {"number": "d_1", "payment": "pay1", "capture": "cap_1", "amount": 9000, "currency": "EUR"}


@pytest.mark.parametrize(
    ("status", "state"),
    [("inquiry", State.PENDING), ("open", State.PENDING), ("won", State.SUCCEEDED), ("lost", State.FAILED)],
)
def test_a_dispute_names_its_capture(account: Account, status: str, state: State) -> None:
    told = read(account, event(account, type="dispute.updated", dispute=DISPUTE | {"status": status, "code": "fraud"}))
    assert (told.about, told.reference, told.number) == ("dispute", "", "d_1")
    assert (told.charge, told.charge_ref, told.kind) == ("pay1", "cap_1", f"dispute.{status}")
    assert told.outcome is not None
    assert (told.outcome.state, told.outcome.amount, told.outcome.code) == (state, Money(9000, "EUR"), "fraud")
    assert told.outcome.inquiry == (status == "inquiry")


@pytest.mark.parametrize(
    "wrong", [{"status": "closed"}, {"status": "unknown"}, {"amount": 0}, {"number": ""}, {"capture": None}, {}]
)
def test_a_dispute_of_nonsense_is_refused(account: Account, wrong: dict[str, Any]) -> None:
    body = event(account, type="dispute.updated", dispute=DISPUTE | {"status": "open"} | wrong if wrong else "x")
    assert refusal(account, signed(account, body), body) == 400


def test_the_same_event_is_the_same_and_one_id_for_two_events_loses_neither(account: Account) -> None:
    first, other = event(account), event(account, type="ping")
    again = read(account, first, at=datetime.now(UTC) - timedelta(seconds=200))
    assert read(account, first).event_id == again.event_id != read(account, other).event_id


def test_any_of_several_signatures_will_do(account: Account) -> None:
    body = event(account)
    headers = signed(account, body)
    headers["webhook-signature"] = f"v1,AAAA {headers['webhook-signature']} v2,x"
    assert provider.read_notification(account, headers, body, datetime.now(UTC)).reference == "pay1"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", ["", "x", "1", "\N{BLACK HEART SUIT}", "v1,", " "])
def test_without_each_of_its_headers_it_is_refused(account: Account, name: str, value: str) -> None:
    body = event(account)
    assert refusal(account, {**signed(account, body), name: value}, body) == 401
    assert refusal(account, {it: text for it, text in signed(account, body).items() if it != name}, body) == 401


@pytest.mark.parametrize("seconds", [-301, 302, -(10**6), 10**6])
def test_out_of_time_it_is_refused(account: Account, seconds: int) -> None:
    body = event(account)
    assert refusal(account, signed(account, body, at=datetime.now(UTC) + timedelta(seconds=seconds)), body) == 401


def test_one_byte_more_or_less_is_refused(account: Account) -> None:
    body = event(account)
    for changed in (body + b" ", body[:-1], body.replace(b"9000", b"9001")):
        assert refusal(account, signed(account, body), changed) == 401


def test_for_another_account_or_mode_it_is_refused(account: Account) -> None:
    body = event(account)
    assert refusal(replace(account, id="acc_2"), signed(account, body), body) == 401
    assert refusal(replace(account, live=True), signed(account, body), body) == 401


def test_a_call_of_ours_that_is_sent_back_to_us_is_no_event(account: Account) -> None:
    body = event(account, type="payment.get", reference="pay1")
    assert refusal(account, signed(account, body), body) == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "payment.captured"},
        {"type": None},
        {"payment": None},
        {"payment": []},
        {"payment": {"reference": "pay1", "status": "captured"}},
        {"payment": {"reference": "p" * 65, "status": "failed"}},
        {"payment": {"reference": "pay1", "status": []}},
        {"payment": {"reference": "pay1", "status": "failed", "code": 7}},
        {"type": "refund.updated"},
        {"type": "refund.updated", "refund": REFUND},
        {"type": "refund.updated", "refund": REFUND | {"status": "succeeded", "amount": None}},
        {"type": "refund.updated", "refund": REFUND | {"status": "succeeded", "capture": 1}},
    ],
)
def test_what_is_signed_and_is_nonsense_is_refused(account: Account, changed: dict[str, Any]) -> None:
    body = event(account, **changed)
    assert refusal(account, signed(account, body), body) == 400


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 30_000])
def test_what_is_signed_and_no_object_is_refused(account: Account, body: bytes) -> None:
    assert refusal(account, signed(account, body), body) == 400


def test_what_is_too_long_is_refused(account: Account) -> None:
    body = event(account) + b" " * 70_000
    assert refusal(account, signed(account, body), body) == 413
