"""What the Stripe provider asks for, and what it makes of the answers: rules S4 to S8."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import stripe as sdk

from orders.money import EXPONENT, Money
from payments.providers import stripe_gateway
from payments.providers.base import Account, BillLine, Outcome, Rail, State
from payments.providers.stripe_amounts import CURRENCIES, from_units, to_units
from tests.emulators import stripe as emulators
from tests.emulators import stripe_amounts, stripe_events
from tests.emulators.stripe_book import REFUND_FAILS, REFUND_PENDS
from tests.emulators.stripe_requests import Wrong
from tests.payments.providers.stripe_shop import (
    EUR90,
    order,
    paid,
    pay,
    provider,
    refund,
    refusal,
    with_config,
)

# Starting


def test_a_session_carries_our_reference_amount_and_deadline(stripe: emulators.Stripe, stripe_account: Account) -> None:
    start = replace(order(), locale="zh-hans")
    step = provider.start(stripe_account, start)
    session = stripe.book.things[step.session]
    assert (step.rail, step.url, step.code) == (Rail.REDIRECT, session["url"], "")
    assert session["client_reference_id"] == "pay1"
    assert session["metadata"] == {"friendpay_reference": "pay1"}
    assert (session["amount_total"], session["currency"]) == (9000, "eur")
    assert session["expires_at"] == int(start.deadline.timestamp())
    assert (session["success_url"], session["cancel_url"]) == (start.return_url, start.return_url)
    assert session["locale"] == "zh"
    assert session["payment_method_types"] == ["card"]
    assert session["adaptive_pricing"] == {"enabled": False}
    pay(step)
    [intent] = stripe.book.all("payment_intent")
    assert intent["metadata"] == {"friendpay_reference": "pay1"}


def test_an_unknown_language_is_left_to_the_browser(stripe: emulators.Stripe, stripe_account: Account) -> None:
    step = provider.start(stripe_account, replace(order(), locale="tlh"))
    assert stripe.book.things[step.session]["locale"] == "auto"


def test_s6_starting_again_gives_the_same_session(stripe: emulators.Stripe, stripe_account: Account) -> None:
    start = order()
    assert provider.start(stripe_account, start) == provider.start(stripe_account, start)
    assert len(stripe.book.all("checkout.session")) == 1


def test_s6_the_key_is_our_reference(stripe: emulators.Stripe, stripe_account: Account) -> None:
    provider.start(stripe_account, order("pay1"))
    provider.start(stripe_account, order("pay2"))
    assert len(stripe.book.all("checkout.session")) == 2


def test_s6_with_other_parameters_the_first_session_is_found_not_a_second_opened(
    stripe: emulators.Stripe, stripe_account: Account
) -> None:
    step = provider.start(stripe_account, order())
    moved = replace(order(), return_url="https://shop.example/r/token/")
    assert provider.start(stripe_account, moved).session == step.session
    assert len(stripe.book.all("checkout.session")) == 1


def test_s6_a_day_later_when_the_key_is_pruned_no_second_session_can_be_opened(
    stripe: emulators.Stripe, stripe_account: Account
) -> None:
    start = order()
    step = provider.start(stripe_account, start)
    stripe.clock.advance(25 * 3600)
    again = provider.start(stripe_account, start)
    assert (again.session, again.url) == (step.session, start.return_url)
    assert len(stripe.book.all("checkout.session")) == 1


def test_s6_a_deadline_that_passed_before_the_first_call_is_refused_for_good(stripe_account: Account) -> None:
    late = replace(order(), deadline=datetime.now(UTC) + timedelta(minutes=29))
    error = refusal(lambda: provider.start(stripe_account, late))
    assert error.permanent
    assert "at least 30 minutes" in error.message


def test_s5_the_shortest_and_longest_holds_are_taken(stripe: emulators.Stripe, stripe_account: Account) -> None:
    now = datetime.now(UTC)
    for seconds in (provider.min_hold, provider.max_hold):
        start = replace(order(f"pay{seconds}"), deadline=now + timedelta(seconds=seconds))
        assert provider.start(stripe_account, start).session


# Asking


def test_s4_an_open_session_is_pending_and_says_why_the_card_was_declined(stripe_account: Account) -> None:
    step = provider.start(stripe_account, order())
    assert provider.fetch(stripe_account, "pay1", step.session).state is State.PENDING
    pay(step, card="4000 0000 0000 9995")
    assert provider.fetch(stripe_account, "pay1", step.session) == Outcome(
        State.PENDING, "pay1", code="insufficient_funds", message="Your card has insufficient funds."
    )
    pay(step)
    assert provider.fetch(stripe_account, "pay1", step.session).state is State.SUCCEEDED


def test_s4_paid_says_the_amount_and_the_payment(stripe: emulators.Stripe, stripe_account: Account) -> None:
    outcome = paid(stripe_account)
    [intent] = stripe.book.all("payment_intent")
    assert outcome == Outcome(State.SUCCEEDED, "pay1", provider_ref=intent["id"], amount=EUR90)


def test_s4_complete_but_unpaid_waits_until_the_bank_has_decided(
    stripe: emulators.Stripe, stripe_account: Account
) -> None:
    for reference, decision, state in (("pay1", True, State.SUCCEEDED), ("pay2", False, State.FAILED)):
        step = provider.start(stripe_account, order(reference))
        session = stripe.book.things[step.session]
        stripe.book.debit(session)
        assert provider.fetch(stripe_account, reference, step.session).state is State.PENDING
        stripe.book.decide_debit(session, paid=decision)
        assert provider.fetch(stripe_account, reference, step.session).state is state


def test_s4_a_session_of_another_payment_is_not_believed(stripe_account: Account) -> None:
    step = provider.start(stripe_account, order("pay1"))
    pay(step)
    error = refusal(lambda: provider.fetch(stripe_account, "pay2", step.session))
    assert (error.permanent, error.code) == (True, "reference")


def test_s4_an_unknown_currency_or_a_fraction_is_no_amount(stripe: emulators.Stripe, stripe_account: Account) -> None:
    step = provider.start(stripe_account, order(amount=Money(500, "ISK")))
    pay(step)
    session = stripe.book.things[step.session]
    for changed in ({"currency": "xyz"}, {"amount_total": 50_050}):
        was = {name: session[name] for name in changed}
        session.update(changed)
        with pytest.raises(ValueError, match="not an amount we know"):
            provider.fetch(stripe_account, "pay1", step.session)
        session.update(was)


def test_an_attempt_that_was_never_opened_is_unknown(stripe_account: Account) -> None:
    assert provider.fetch(stripe_account, "pay1").state is State.UNKNOWN
    assert provider.fetch(stripe_account, "pay1", "cs_test_gone").state is State.UNKNOWN
    assert provider.close(stripe_account, "pay1").state is State.UNKNOWN
    assert provider.close(stripe_account, "pay1", "cs_test_gone").state is State.UNKNOWN


def test_a_session_that_never_reached_us_is_found_by_our_reference(
    stripe: emulators.Stripe, stripe_account: Account
) -> None:
    """Among more sessions than one page of the list, and before the search knows of the payment."""
    pay(provider.start(stripe_account, order("pay1")))
    with stripe.lock:
        for _ in range(100):
            stripe.book.open_session(
                {
                    "line_items": {"0": {"quantity": "1", "price_data": {"currency": "eur", "unit_amount": "100"}}},
                    "success_url": "https://other.example/",
                }
            )
    assert provider.fetch(stripe_account, "pay1").amount == EUR90
    assert stripe.calls.count("GET /v1/checkout/sessions") == 2


def test_a_paid_session_of_weeks_ago_is_found_by_the_search(stripe: emulators.Stripe, stripe_account: Account) -> None:
    outcome = paid(stripe_account, "pay1")
    paid(stripe_account, "pay2")
    for thing in stripe.book.things.values():
        thing["created"] -= 40 * 24 * 3600
    assert provider.fetch(stripe_account, "pay1") == outcome


# Closing


def test_s5_closing_expires_the_session(stripe: emulators.Stripe, stripe_account: Account) -> None:
    step = provider.start(stripe_account, order())
    closed = provider.close(stripe_account, "pay1", step.session)
    assert (closed.state, closed.code) == (State.FAILED, "expired")
    assert pay_anyway(step.url) == 410
    assert provider.close(stripe_account, "pay1", step.session).state is State.FAILED


def test_s5_closing_without_the_session_finds_it(stripe: emulators.Stripe, stripe_account: Account) -> None:
    step = provider.start(stripe_account, order())
    assert provider.close(stripe_account, "pay1").state is State.FAILED
    assert stripe.book.things[step.session]["status"] == "expired"


def test_s5_closing_what_was_paid_honours_the_payment(stripe_account: Account) -> None:
    step = provider.start(stripe_account, order())
    pay(step)
    assert provider.close(stripe_account, "pay1", step.session).amount == EUR90


def test_s5_a_close_that_stripe_could_not_do_is_not_decided(stripe: emulators.Stripe, stripe_account: Account) -> None:
    step = provider.start(stripe_account, order())
    stripe.scripted.append(Wrong("Try again.", status=500, kind="api_error"))
    assert provider.close(stripe_account, "pay1", step.session).state is State.PENDING


def test_a_session_that_lapsed_by_itself_has_failed(stripe: emulators.Stripe, stripe_account: Account) -> None:
    step = provider.start(stripe_account, order())
    stripe.clock.advance(provider.min_hold)
    outcome = provider.fetch(stripe_account, "pay1", step.session)
    assert (outcome.state, outcome.code) == (State.FAILED, "expired")


def pay_anyway(url: str) -> int:
    return httpx.post(url, data={"choice": "approve"}, trust_env=False).status_code


# Refunding


def test_s6_a_refund_is_sent_once_whatever_repeats(stripe: emulators.Stripe, stripe_account: Account) -> None:
    charge = paid(stripe_account)
    first = refund(stripe_account, charge, minor=4000)
    assert (first.state, first.amount) == (State.SUCCEEDED, Money(4000, "EUR"))
    assert refund(stripe_account, charge, minor=4000) == first
    stripe.clock.advance(25 * 3600)  # the key is pruned
    assert refund(stripe_account, charge, minor=4000) == first
    assert len(stripe.book.all("refund")) == 1
    assert refund(stripe_account, charge, "re2", minor=4000).provider_ref != first.provider_ref


def test_a_refund_beyond_the_charge_is_refused_for_good(stripe_account: Account) -> None:
    charge = paid(stripe_account)
    refund(stripe_account, charge, "re1", minor=5000)
    error = refusal(lambda: refund(stripe_account, charge, "re2", minor=4001))
    assert error.permanent
    assert "greater than unrefunded amount" in error.message
    refund(stripe_account, charge, "re3", minor=4000)
    assert refusal(lambda: refund(stripe_account, charge, "re4", minor=1)).code == "charge_already_refunded"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", State.PENDING),
        ("requires_action", State.PENDING),
        ("succeeded", State.SUCCEEDED),
        ("failed", State.FAILED),
        ("canceled", State.FAILED),
    ],
)
def test_s7_every_state_of_a_refund(
    stripe: emulators.Stripe, stripe_account: Account, status: str, state: State
) -> None:
    charge = paid(stripe_account)
    refund(stripe_account, charge)
    stripe.book.move_refund(stripe.book.all("refund")[0], status)
    asked = provider.fetch_refund(stripe_account, reference="re1", charge="pay1", charge_ref=charge.provider_ref)
    assert asked.state is state
    assert asked.code == ("lost_or_stolen_card" if status == "failed" else "")


def test_s7_what_was_accepted_can_wait_and_what_succeeded_can_fail(
    stripe: emulators.Stripe, stripe_account: Account
) -> None:
    for reference, card, told, then in (
        ("pay1", REFUND_PENDS, State.PENDING, State.SUCCEEDED),
        ("pay2", REFUND_FAILS, State.SUCCEEDED, State.FAILED),
    ):
        charge = paid(stripe_account, reference, card=card)
        assert refund(stripe_account, charge, f"re_{reference}").state is told
        stripe.clock.advance(60)  # until the search knows the payment
        assert provider.fetch_refund(stripe_account, reference=f"re_{reference}", charge=reference).state is then


def test_a_refund_that_was_never_sent_is_unknown(stripe_account: Account) -> None:
    charge = paid(stripe_account)
    asked = provider.fetch_refund(stripe_account, reference="re1", charge="pay1", charge_ref=charge.provider_ref)
    assert asked.state is State.UNKNOWN
    assert provider.fetch_refund(stripe_account, reference="re1", charge="pay9").state is State.UNKNOWN


# Amounts


@pytest.mark.parametrize(
    ("money", "units"),
    [
        (Money(1099, "USD"), 1099),
        (Money(500, "JPY"), 500),
        (Money(5, "ISK"), 500),  # written with two decimals, always 00
        (Money(5, "UGX"), 500),
        (Money(1045, "HUF"), 1045),  # whole forints in payouts only
        (Money(80_045, "TWD"), 80_045),
        (Money(300, "MGA"), 3),  # ISO 4217 gives it two decimals, Stripe none
        (Money(5120, "KWD"), 5120),
    ],
)
def test_s8_amounts_as_stripe_counts_them(money: Money, units: int) -> None:
    assert to_units(money) == units
    assert from_units(units, money.currency.lower()) == money


@pytest.mark.parametrize(
    "money",
    [Money(5124, "KWD"), Money(1, "BHD"), Money(11, "JOD"), Money(9, "OMR"), Money(15, "TND"), Money(350, "MGA")],
)
def test_s8_what_stripe_has_no_coin_for_is_refused_before_it_is_sent(
    stripe: emulators.Stripe, stripe_account: Account, money: Money
) -> None:
    error = refusal(lambda: provider.start(stripe_account, order(amount=money)))
    assert (error.permanent, error.code) == (True, "amount")
    assert stripe.calls == []


def test_s8_every_currency_we_offer_is_taken_and_comes_back_the_same() -> None:
    assert EXPONENT.keys() >= CURRENCIES
    for code in CURRENCIES:
        money = Money(1_000_000, code)
        stripe_amounts.check(to_units(money), code.lower(), "amount")
        assert from_units(to_units(money), code.lower()) == money


# Bills


def test_a_bill_names_what_the_payer_paid_whatever_was_booked(
    stripe: emulators.Stripe, stripe_account: Account
) -> None:
    one, two = paid(stripe_account, "pay1"), paid(stripe_account, "pay2", Money(500, "JPY"), REFUND_FAILS)
    first, second = refund(stripe_account, one, "re1", 4000), refund(stripe_account, two, "re2")
    day = stripe.clock.now().date()
    assert sorted(provider.bill(stripe_account, day), key=lambda line: (line.reference, line.state)) == [
        BillLine("charge", "pay1", one.provider_ref, EUR90, State.SUCCEEDED),
        BillLine("charge", "pay2", two.provider_ref, Money(500, "JPY"), State.SUCCEEDED),
        BillLine("refund", "re1", first.provider_ref, Money(4000, "EUR"), State.SUCCEEDED),
        BillLine("refund", "re2", second.provider_ref, Money(500, "JPY"), State.FAILED),  # as it went out
        BillLine("refund", "re2", second.provider_ref, Money(500, "JPY"), State.FAILED),  # as it came back
    ]
    assert list(provider.bill(stripe_account, day - timedelta(days=1))) == []
    assert list(provider.bill(stripe_account, day + timedelta(days=1))) == []


def test_a_bill_holds_what_is_none_of_ours_without_a_reference_and_goes_on_past_a_hundred_lines(
    stripe: emulators.Stripe, stripe_account: Account
) -> None:
    with stripe.lock:
        for _ in range(101):
            session = stripe.book.open_session(
                {
                    "line_items": {"0": {"quantity": "1", "price_data": {"currency": "usd", "unit_amount": "100"}}},
                    "success_url": "https://other.example/",
                }
            )
            stripe.book.pay(session)
    lines = list(provider.bill(stripe_account, stripe.clock.now().date()))
    assert {line.reference for line in lines} == {""}
    assert len({line.provider_ref for line in lines}) == 101


# Checking, and what goes wrong


def test_checking_says_what_stripe_said(stripe: emulators.Stripe, stripe_account: Account) -> None:
    assert provider.check(stripe_account) == "Stripe knows this key (test mode, balance in USD)."
    assert stripe.calls == ["GET /v1/balance"]


def test_credentials_that_cannot_work_are_refused_for_good(stripe: emulators.Stripe, stripe_account: Account) -> None:
    stranger = refusal(lambda: provider.check(with_config(stripe_account, secret_key="sk_test_of_a_stranger")))
    assert stranger.permanent
    assert "Invalid API Key provided: sk_test_" in stranger.message
    assert "stranger" not in stranger.message
    stripe.calls.clear()
    for account, code in (
        (with_config(stripe_account, secret_key=""), "configuration"),
        (with_config(stripe_account, secret_key="pk_test_123"), "configuration"),
        (with_config(stripe_account, secret_key="sk_test_12é"), "configuration"),
        (with_config(stripe_account, secret_key="sk_test_123\n"), "configuration"),
        (with_config(stripe_account, webhook_secret="sk_test_123"), "configuration"),
        (replace(stripe_account, live=True), "livemode"),
        (with_config(stripe_account, secret_key="sk_live_123"), "livemode"),
    ):
        error = refusal(lambda account=account: provider.check(account))  # type: ignore[misc]
        assert (error.permanent, error.code) == (True, code)
    assert stripe.calls == []


@pytest.mark.parametrize(
    ("wrong", "permanent", "code"),
    [
        (Wrong("No permission.", status=403), True, "invalid_request_error"),
        (Wrong("Too many.", status=429, code="rate_limit"), False, "rate_limit"),
        (Wrong("Another request is using this key.", status=409, code="idempotency_key_in_use"), False, ""),
        (Wrong("The balance does not cover it.", code="balance_insufficient"), False, "balance_insufficient"),
        (Wrong("Out of order.", status=500, kind="api_error"), False, "api_error"),
    ],
)
def test_what_may_be_tried_again_and_what_may_not(
    stripe: emulators.Stripe, stripe_account: Account, wrong: Wrong, permanent: bool, code: str
) -> None:
    charge = paid(stripe_account)
    stripe.scripted.extend([wrong, wrong])
    error = refusal(lambda: provider.check(stripe_account))
    assert error.permanent is permanent
    assert error.code == (code or "idempotency_key_in_use")
    assert str(wrong) in error.message
    assert refusal(lambda: refund(stripe_account, charge)).permanent is permanent


def test_the_version_is_pinned_and_the_global_key_stays_unset(
    stripe: emulators.Stripe, stripe_account: Account
) -> None:
    provider.check(stripe_account)  # the emulator takes no other version
    assert stripe_gateway.API_VERSION == stripe_events.API_VERSION
    assert sdk.api_key is None
