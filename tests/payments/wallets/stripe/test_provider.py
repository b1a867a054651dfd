"""What the Stripe provider asks for, and what it makes of the answers: rules S4 to S6, checks and errors."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import stripe as sdk

from friendpay.kit.money import Money
from payments.wallets.base import Account, Outcome, ProviderError, Rail, State
from payments.wallets.stripe import gateway
from payments.wallets.stripe.emulator import events, server
from payments.wallets.stripe.emulator.requests import Wrong
from payments.wallets.stripe.methods import METHODS, StripeMethod
from tests.payments.wallets.stripe.shop import EUR90, order, paid, pay, provider, refund, refusal, with_config

# Starting


def test_a_session_carries_our_reference_amount_and_deadline(stripe: server.Stripe, stripe_account: Account) -> None:
    start = replace(order(), locale="zh-hans")
    step = provider.start(stripe_account, start)
    session = stripe.book.things[step.session]
    assert (step.rail, step.url, step.code) == (Rail.REDIRECT, session["url"], "")
    assert session["client_reference_id"] == "pay1"
    assert session["metadata"] == {"friendpay_reference": "pay1"}
    assert (session["amount_total"], session["currency"]) == (9000, "eur")
    assert session["expires_at"] == int(start.deadline.timestamp())
    assert (session["success_url"], session["cancel_url"]) == (start.return_url, start.cancel_url)
    assert session["locale"] == "zh"
    assert session["payment_method_types"] == ["card"]
    assert session["adaptive_pricing"] == {"enabled": False}
    pay(step)
    [intent] = stripe.book.all("payment_intent")
    assert intent["metadata"] == {"friendpay_reference": "pay1"}


def test_an_unknown_language_is_left_to_the_browser(stripe: server.Stripe, stripe_account: Account) -> None:
    step = provider.start(stripe_account, replace(order(), locale="tlh"))
    assert stripe.book.things[step.session]["locale"] == "auto"


def test_s6_starting_again_gives_the_same_session(stripe: server.Stripe, stripe_account: Account) -> None:
    start = order()
    assert provider.start(stripe_account, start) == provider.start(stripe_account, start)
    assert len(stripe.book.all("checkout.session")) == 1


def test_s6_the_key_is_our_reference(stripe: server.Stripe, stripe_account: Account) -> None:
    provider.start(stripe_account, order("pay1"))
    provider.start(stripe_account, order("pay2"))
    assert len(stripe.book.all("checkout.session")) == 2


def test_s6_with_other_parameters_the_first_session_is_found_not_a_second_opened(
    stripe: server.Stripe, stripe_account: Account
) -> None:
    step = provider.start(stripe_account, order())
    moved = replace(order(), return_url="https://shop.example/r/token/")
    assert provider.start(stripe_account, moved).session == step.session
    assert len(stripe.book.all("checkout.session")) == 1


def test_s6_a_day_later_when_the_key_is_pruned_no_second_session_can_be_opened(
    stripe: server.Stripe, stripe_account: Account
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


def test_s5_the_shortest_and_longest_holds_are_taken(stripe: server.Stripe, stripe_account: Account) -> None:
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


def test_s4_paid_says_the_amount_and_the_payment(stripe: server.Stripe, stripe_account: Account) -> None:
    outcome = paid(stripe_account)
    [intent] = stripe.book.all("payment_intent")
    assert outcome == Outcome(State.SUCCEEDED, "pay1", provider_ref=intent["id"], amount=EUR90)


def test_s4_complete_but_unpaid_waits_until_the_bank_has_decided(
    stripe: server.Stripe, stripe_account: Account
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


def test_s4_an_unknown_currency_or_a_fraction_is_no_amount(stripe: server.Stripe, stripe_account: Account) -> None:
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
    stripe: server.Stripe, stripe_account: Account
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


def test_a_paid_session_of_weeks_ago_is_found_by_the_search(stripe: server.Stripe, stripe_account: Account) -> None:
    outcome = paid(stripe_account, "pay1")
    paid(stripe_account, "pay2")
    for thing in stripe.book.things.values():
        thing["created"] -= 40 * 24 * 3600
    assert provider.fetch(stripe_account, "pay1") == outcome


# Closing


def test_s5_closing_expires_the_session(stripe: server.Stripe, stripe_account: Account) -> None:
    step = provider.start(stripe_account, order())
    closed = provider.close(stripe_account, "pay1", step.session)
    assert (closed.state, closed.code) == (State.FAILED, "expired")
    assert httpx.get(step.url, trust_env=False).status_code == 410
    assert provider.close(stripe_account, "pay1", step.session).state is State.FAILED


def test_s9_a_page_that_stayed_open_says_that_all_went_well_and_nothing_is_charged(
    stripe: server.Stripe, stripe_account: Account
) -> None:
    step = provider.start(stripe_account, order())
    provider.close(stripe_account, "pay1", step.session)
    answer = httpx.post(step.url, data={"choice": "approve", "card": "4242 4242 4242 4242"}, trust_env=False)
    assert (answer.status_code, "You did it" in answer.text) == (200, True)
    assert stripe.book.moved() == ([], [])
    assert provider.fetch(stripe_account, "pay1", step.session).state is State.FAILED


def test_s5_closing_without_the_session_finds_it(stripe: server.Stripe, stripe_account: Account) -> None:
    step = provider.start(stripe_account, order())
    assert provider.close(stripe_account, "pay1").state is State.FAILED
    assert stripe.book.things[step.session]["status"] == "expired"


def test_s5_closing_what_was_paid_honours_the_payment(stripe_account: Account) -> None:
    step = provider.start(stripe_account, order())
    pay(step)
    assert provider.close(stripe_account, "pay1", step.session).amount == EUR90


def test_s5_a_close_that_stripe_could_not_do_is_not_decided(stripe: server.Stripe, stripe_account: Account) -> None:
    step = provider.start(stripe_account, order())
    stripe.scripted.append(Wrong("Try again.", status=500, kind="api_error"))
    assert provider.close(stripe_account, "pay1", step.session).state is State.PENDING


def test_a_session_that_lapsed_by_itself_has_failed(stripe: server.Stripe, stripe_account: Account) -> None:
    step = provider.start(stripe_account, order())
    stripe.clock.advance(provider.min_hold)
    outcome = provider.fetch(stripe_account, "pay1", step.session)
    assert (outcome.state, outcome.code) == (State.FAILED, "expired")


# Checking, and what goes wrong


def test_checking_says_what_stripe_said(stripe: server.Stripe, stripe_account: Account) -> None:
    assert provider.check(stripe_account) == "Stripe knows this key (test mode, balance in USD)."
    assert stripe.calls == ["GET /v1/balance"]


def test_credentials_that_cannot_work_are_refused_for_good(stripe: server.Stripe, stripe_account: Account) -> None:
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
    stripe: server.Stripe, stripe_account: Account, wrong: Wrong, permanent: bool, code: str
) -> None:
    charge = paid(stripe_account)
    stripe.scripted.extend([wrong, wrong])
    error = refusal(lambda: provider.check(stripe_account))
    assert error.permanent is permanent
    assert error.code == (code or "idempotency_key_in_use")
    assert str(wrong) in error.message
    assert error.for_shop is (wrong.status == 403 or code == "balance_insufficient")
    assert refusal(lambda: refund(stripe_account, charge)).permanent is permanent


def test_the_version_is_pinned_and_the_global_key_stays_unset(stripe: server.Stripe, stripe_account: Account) -> None:
    provider.check(stripe_account)  # the emulator takes no other version
    assert gateway.API_VERSION == events.API_VERSION
    assert sdk.api_key is None


# Other ways to pay than cards


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_each_method_is_opened_alone_and_paid_in_each_of_its_currencies(
    stripe: server.Stripe, stripe_account: Account, method: StripeMethod
) -> None:
    assert method.currencies
    for number, code in enumerate(sorted(method.currencies)):
        least = Money(method.smallest[code], code)
        step = provider.start(stripe_account, replace(order(f"{method.name}{number}", least), method=method.name))
        assert stripe.book.things[step.session]["payment_method_types"] == [method.type]
        if number == 0:
            pay(step)
            outcome = provider.fetch(stripe_account, f"{method.name}0", step.session)
            assert (outcome.state, outcome.amount) == (State.SUCCEEDED, least)


@pytest.mark.parametrize(
    ("method", "amount", "of_shop", "over_limit"),
    [
        ("ideal", Money(9000, "USD"), True, False),
        ("pix", Money(9000, "EUR"), True, False),
        ("kakaopay", Money(9000, "JPY"), True, False),
        ("card", Money(49, "EUR"), False, True),
        ("card", Money(100, "CNY"), False, True),  # Stripe names no smallest amount: half a dollar it is
        ("card", Money(5000, "IDR"), False, True),
    ],
)
def test_what_stripe_does_not_take_is_refused_as_what_it_is(
    stripe_account: Account, method: str, amount: Money, of_shop: bool, over_limit: bool
) -> None:
    with pytest.raises(ProviderError) as error:
        provider.start(stripe_account, replace(order(amount=amount), method=method))
    assert (error.value.permanent, error.value.for_shop, error.value.over_limit) == (True, of_shop, over_limit)


def test_a_method_that_is_not_switched_on_at_stripe_is_the_shops_to_mend(
    stripe: server.Stripe, stripe_account: Account
) -> None:
    stripe.book.activated = {"card"}
    with pytest.raises(ProviderError) as error:
        provider.start(stripe_account, replace(order(), method="ideal"))
    assert (error.value.permanent, error.value.for_shop) == (True, True)


def test_no_debit_can_be_asked_for(stripe: server.Stripe, stripe_account: Account) -> None:
    with pytest.raises(ProviderError, match="no method"):
        provider.start(stripe_account, replace(order(), method="sepa_debit"))
    assert stripe.calls == []
