"""Every fault of protocols P2 through the provider: the end is right."""

import httpx
import pytest

from friendpay.kit.money import Money
from payments.wallets import transport
from payments.wallets.base import Account, State
from payments.wallets.stripe.emulator import server
from tests.payments.wallets.stripe.shop import EUR90, Shop, order, paid, pay, provider, refund, refusal


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait two seconds for an answer, not eight."""
    client = httpx.Client(timeout=2)
    monkeypatch.setattr(transport, "_client", lambda *which: client)


@pytest.mark.parametrize("fault", ["duplicate_notification", "reorder_notification", "delay_notification"])
def test_events_twice_reordered_or_late_mean_the_same(
    stripe: server.Stripe, stripe_account: Account, stripe_shop: Shop, fault: str
) -> None:
    stripe.faults.set(fault, seconds=3600)
    outcomes = {paid(stripe_account, "pay1"), paid(stripe_account, "pay2")}
    stripe.clock.advance(3600)
    stripe_shop.until(lambda: len(stripe_shop.heard) >= 2 + (fault == "duplicate_notification"))
    assert len({told.event_id for told in stripe_shop.heard}) == 2
    assert {told.outcome for told in stripe_shop.heard} == outcomes


def test_a_dropped_event_is_found_by_asking(stripe: server.Stripe, stripe_account: Account, stripe_shop: Shop) -> None:
    stripe.faults.set("drop_notification")
    assert paid(stripe_account).amount == EUR90
    stripe.notifier.settle()
    assert stripe_shop.heard == []


def test_an_event_is_sent_again_while_the_shop_is_down(
    stripe: server.Stripe, stripe_account: Account, stripe_shop: Shop
) -> None:
    stripe_shop.down = 3
    paid(stripe_account)
    stripe_shop.until(lambda: stripe_shop.heard)
    assert [attempt.status for attempt in stripe.notifier.log[:3]] == [500, 500, 500]
    assert len({told.event_id for told in stripe_shop.heard}) == 1


@pytest.mark.parametrize("skew", [-100_000, 100_000])
def test_an_event_by_a_wrong_clock_is_refused_and_its_retry_taken(
    stripe: server.Stripe, stripe_account: Account, stripe_shop: Shop, skew: int
) -> None:
    stripe.faults.set("clock_skew", seconds=skew)
    paid(stripe_account)
    stripe_shop.until(lambda: stripe_shop.heard)
    assert stripe_shop.refused == [400]


def test_a_stranger_signing_events_is_not_believed(
    stripe: server.Stripe, stripe_account: Account, stripe_shop: Shop
) -> None:
    stripe.faults.set("wrong_key")
    paid(stripe_account)
    stripe_shop.until(lambda: stripe_shop.heard)
    assert stripe_shop.refused == [401]


def test_another_amount_than_asked_for_is_reported_as_it_is(
    stripe: server.Stripe, stripe_account: Account, stripe_shop: Shop
) -> None:
    stripe.faults.set("wrong_amount")
    outcome = paid(stripe_account)
    assert outcome.amount == Money(8999, "EUR")
    stripe_shop.until(lambda: stripe_shop.heard)
    assert stripe_shop.heard[0].outcome == outcome


@pytest.mark.usefixtures("impatient")
def test_a_start_that_hangs_after_taking_effect_is_repeated_into_the_same_session(
    stripe: server.Stripe, stripe_account: Account
) -> None:
    stripe.faults.set("hang_after_commit")
    start = order()
    error = refusal(lambda: provider.start(stripe_account, start))
    assert (error.permanent, error.code) == (False, "timeout")
    assert provider.fetch(stripe_account, "pay1").state is State.PENDING
    step = provider.start(stripe_account, start)
    assert [step.session] == [session["id"] for session in stripe.book.all("checkout.session")]


def test_a_start_that_fails_after_taking_effect_is_found_by_our_reference(
    stripe: server.Stripe, stripe_account: Account
) -> None:
    """Stripe gives the stored 500 to every repeat of the key, for a day."""
    stripe.faults.set("error_after_commit")
    start = order()
    assert not refusal(lambda: provider.start(stripe_account, start)).permanent
    step = provider.start(stripe_account, start)
    assert [step.session] == [session["id"] for session in stripe.book.all("checkout.session")]
    pay(step)
    assert provider.fetch(stripe_account, "pay1", step.session).amount == EUR90


@pytest.mark.parametrize("fault", ["hang_after_commit", "error_after_commit"])
def test_a_refund_without_an_answer_is_never_sent_twice(
    stripe: server.Stripe, stripe_account: Account, fault: str
) -> None:
    charge = paid(stripe_account)
    stripe.faults.set(fault, seconds=0.02)
    assert not refusal(lambda: refund(stripe_account, charge, minor=4000)).permanent
    assert refund(stripe_account, charge, minor=4000).state is State.SUCCEEDED
    assert [it["amount"] for it in stripe.book.all("refund")] == [4000]


@pytest.mark.parametrize("fault", ["hang_after_commit", "error_after_commit"])
def test_s5_a_close_without_an_answer_asks(stripe: server.Stripe, stripe_account: Account, fault: str) -> None:
    step = provider.start(stripe_account, order())
    stripe.faults.set(fault, seconds=0.02)
    assert provider.close(stripe_account, "pay1", step.session).state is State.FAILED


def test_a_gateway_that_is_not_there_is_asked_again_later() -> None:
    nowhere = Account(id="acc_1", live=False, config={"secret_key": "sk_test_1"}, base_url="http://127.0.0.1:9")
    for call in (
        lambda: provider.start(nowhere, order()),
        lambda: provider.fetch(nowhere, "pay1", "cs_1"),
        lambda: provider.close(nowhere, "pay1", "cs_1"),
        lambda: provider.fetch_refund(nowhere, reference="re1", charge="pay1", charge_ref="pi_1"),
        lambda: list(provider.bill(nowhere, order().deadline.date())),
    ):
        error = refusal(call)
        assert (error.permanent, error.code) == (False, "transport")
