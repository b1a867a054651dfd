"""What Stripe tells us: rules S1 to S3, and what each event means."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe as sdk

from payments.wallets.base import Account, NotificationRefused, Outcome, State
from payments.wallets.stripe.emulator.server import WEBHOOK_SECRET
from tests.payments.wallets.stripe.shop import EUR90, event, provider, read, refused, session_event, signature

ACCOUNT = Account(id="acc_1", live=False, config={"webhook_secret": WEBHOOK_SECRET}, base_url="http://127.0.0.1:9")
PAID = Outcome(State.SUCCEEDED, "pay1", provider_ref="pi_1", amount=EUR90)


def test_a_paid_session_is_read() -> None:
    notification = read(ACCOUNT, session_event())
    assert (notification.event_id, notification.kind) == ("evt_1", "checkout.session.completed")
    assert (notification.about, notification.reference, notification.outcome) == ("charge", "pay1", PAID)


def test_s1_the_signature_is_over_the_raw_body() -> None:
    body = session_event()
    header = signature(body)
    assert read(ACCOUNT, body, header)
    respelled = json.dumps(json.loads(body), indent=1).encode()
    assert refused(ACCOUNT, respelled, header) == 401
    assert refused(ACCOUNT, body[:-1], header) == 401
    assert refused(ACCOUNT, body.replace(b"9000", b"9001"), header) == 401


@pytest.mark.parametrize("seconds", [301, 3600, 10 * 365 * 86400])
@pytest.mark.parametrize("direction", [1, -1])
def test_s1_more_than_300_seconds_old_or_ahead_is_refused(seconds: int, direction: int) -> None:
    body, now = session_event(), datetime.now(UTC).replace(microsecond=0)
    stamp = int((now + direction * timedelta(seconds=seconds)).timestamp())
    assert refused(ACCOUNT, body, signature(body, stamp=stamp), now) == 400
    edge = int((now + direction * timedelta(seconds=300)).timestamp())
    assert read(ACCOUNT, body, signature(body, stamp=edge), now)


def test_s1_a_second_timestamp_does_not_make_an_old_event_new() -> None:
    body, now = session_event(), int(time.time())
    old = signature(body, stamp=now - 3600)
    assert refused(ACCOUNT, body, f"{old},t={now}") == 401
    assert refused(ACCOUNT, body, f"t={now},{old}") == 401


def test_s1_what_is_not_utf8_is_refused() -> None:
    body = session_event().replace(b"cs_test_1", b"cs_\xff\xfe")
    assert refused(ACCOUNT, body) == 400


@pytest.mark.parametrize("livemode", [True, None, "false", 0])
def test_s1_the_other_mode_is_refused(livemode: Any) -> None:
    thing = json.loads(session_event())["data"]["object"]
    assert refused(ACCOUNT, event(thing, "checkout.session.completed", livemode=livemode)) == 400
    assert refused(ACCOUNT, session_event(livemode=livemode)) == 400  # of a session in an event of ours


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"7", b'"event"', b"{}", b'{"object":"event"}', b'{"object":"v2.core.event"}'],
)
def test_s1_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    assert refused(ACCOUNT, body) == 400


@pytest.mark.parametrize(
    "header",
    ["", "t=1", "v1=00", "t=,v1=00", "t=x,v1=00", "t=1,v1=", "t=-1,v1=00", "t=1,v1=é", "t=١,v1=00", "t=1;v1=00", "\0"],
)
def test_s1_a_header_out_of_form_is_refused(header: str) -> None:
    assert refused(ACCOUNT, session_event(), header) == 401


def test_s1_ten_mebibytes_unsigned_are_refused() -> None:
    assert refused(ACCOUNT, b"x" * (10 << 20), "t=1,v1=00") == 401


def test_an_event_of_another_account_is_refused() -> None:
    body = session_event()
    assert refused(ACCOUNT, body, signature(body, secret="whsec_of_a_stranger")) == 401
    thing = json.loads(body)["data"]["object"]
    assert refused(ACCOUNT, event(thing, "checkout.session.completed", account="acct_connected")) == 400


@pytest.mark.parametrize("secret", ["", "   "])
def test_an_account_without_a_secret_believes_nobody(secret: str) -> None:
    body = session_event()
    account = Account(id="acc_1", live=False, config={"webhook_secret": secret})
    assert refused(account, body, signature(body, secret=secret)) == 401
    assert refused(Account(id="acc_1", live=False, config={}), body, signature(body, secret="")) == 401


def test_s2_while_the_secret_is_rolled_any_signature_that_fits_will_do() -> None:
    body, stamp = session_event(), int(time.time())
    ours = signature(body, stamp=stamp).partition(",")[2]
    other = signature(body, "whsec_old", stamp).partition(",")[2]
    v0 = "v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"
    for signatures in ([ours, other], [other, ours], [v0, other, ours], [ours, v0]):
        assert read(ACCOUNT, body, ",".join([f"t={stamp}", *signatures]))
    assert refused(ACCOUNT, body, f"t={stamp},{other},{other}") == 401
    assert refused(ACCOUNT, body, f"t={stamp},{ours.replace('v1', 'v0')}") == 401


def test_s3_two_events_of_one_effect_lead_to_one_payment() -> None:
    first = read(ACCOUNT, session_event(event_id="evt_1"))
    again = read(ACCOUNT, session_event(event_id="evt_1"))
    other = read(ACCOUNT, session_event("checkout.session.async_payment_succeeded", event_id="evt_2"))
    assert first == again
    assert (first.event_id, other.event_id) == ("evt_1", "evt_2")
    assert first.outcome == other.outcome == PAID  # the same reference, the same payment: settled once


def test_s3_no_order_is_assumed() -> None:
    """Complete but unpaid says nothing new, whether it comes before or after the payment."""
    for kind, status, expected in (
        ("checkout.session.completed", "unpaid", State.PENDING),
        ("checkout.session.async_payment_succeeded", "paid", State.SUCCEEDED),
        ("checkout.session.async_payment_failed", "unpaid", State.FAILED),
    ):
        outcome = read(ACCOUNT, session_event(kind, payment_status=status)).outcome
        assert outcome
        assert outcome.state is expected


def test_s4_an_expired_session_has_failed_unless_it_was_paid() -> None:
    unpaid = session_event("checkout.session.expired", status="expired", payment_status="unpaid", payment_intent=None)
    assert read(ACCOUNT, unpaid).outcome == Outcome(State.FAILED, "pay1", code="expired")
    assert read(ACCOUNT, session_event("checkout.session.expired", status="expired")).outcome == PAID


@pytest.mark.parametrize("status", ["unpaid", "no_payment_required", "PAID", "", None])
def test_s4_only_paid_is_paid(status: str | None) -> None:
    outcome = read(ACCOUNT, session_event(payment_status=status)).outcome
    assert outcome
    assert outcome.state is State.PENDING


@pytest.mark.parametrize(
    "changed",
    [
        {"client_reference_id": "pay2"},
        {"client_reference_id": None},
        {"metadata": {}},
        {"metadata": None},
        {"metadata": {"reference": "pay1"}},
    ],
)
def test_s4_a_session_that_is_not_wholly_ours_names_nothing(changed: dict[str, Any]) -> None:
    notification = read(ACCOUNT, session_event(**changed))
    assert (notification.reference, notification.outcome) == ("", None)


@pytest.mark.parametrize("changed", [{"amount_total": None}, {"amount_total": 1.5}, {"currency": "xyz"}])
def test_s4_an_amount_that_cannot_be_is_refused(changed: dict[str, Any]) -> None:
    assert refused(ACCOUNT, session_event(**changed)) == 400


@pytest.mark.parametrize("kind", ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"])
def test_s3_news_of_a_refund_is_a_hint_to_ask_because_it_may_be_overtaken(kind: str) -> None:
    thing = {
        "id": "re_1",
        "object": "refund",
        "amount": 500,
        "currency": "jpy",
        "metadata": {"friendpay_reference": "re1", "charge": "pay1"},
        "status": "succeeded",
    }
    notification = read(ACCOUNT, event(thing, kind))
    assert (notification.about, notification.reference, notification.outcome) == ("refund", "re1", None)
    by_hand = read(ACCOUNT, event(thing | {"metadata": {}}, kind))
    assert (by_hand.about, by_hand.reference, by_hand.outcome) == ("refund", "", None)


def test_a_refunded_charge_is_a_hint_to_ask_about_it() -> None:
    thing = {"id": "ch_1", "object": "charge", "metadata": {"friendpay_reference": "pay1"}}
    notification = read(ACCOUNT, event(thing, "charge.refunded"))
    assert (notification.about, notification.reference, notification.outcome) == ("charge", "pay1", None)


@pytest.mark.parametrize("thing", [{"object": "payout"}, {"object": "payment_intent", "metadata": {"a": "b"}}])
def test_other_events_are_read_and_mean_nothing(thing: dict[str, Any]) -> None:
    notification = read(ACCOUNT, event(thing, "something.new"))
    assert (notification.kind, notification.reference, notification.outcome) == ("something.new", "", None)


def test_the_sdk_signs_as_we_read() -> None:
    """The header as the SDK makes it for tests of its users."""
    body = session_event()
    header = sdk.WebhookSignature.generate_signature_header(body.decode(), WEBHOOK_SECRET)
    assert read(ACCOUNT, body, header).outcome == PAID


def test_what_is_acknowledged_and_what_is_refused_over_http() -> None:
    assert provider.acknowledge().status == 200
    with pytest.raises(NotificationRefused) as error:
        read(ACCOUNT, session_event(), "")
    assert (error.value.reply.status, error.value.reply.body) == (401, b"no signature")
