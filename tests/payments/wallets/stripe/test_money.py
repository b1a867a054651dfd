"""Money going back, amounts as Stripe counts them, and its bills: rules S6 to S8."""

from datetime import timedelta

import pytest

from friendpay.kit.money import EXPONENT, Money
from payments.wallets.base import Account, BillLine, Outcome, State
from payments.wallets.stripe import gateway
from payments.wallets.stripe.amounts import CURRENCIES, from_units, to_units
from payments.wallets.stripe.emulator import amounts, server
from payments.wallets.stripe.emulator.book import REFUND_FAILS, REFUND_PENDS
from tests.payments.wallets.stripe.shop import EUR90, order, paid, provider, refund, refusal, with_config

# Refunding
FREE = Money(0, "USD")  # a refund's fee, in the currency the account is paid out in


def test_s6_a_refund_is_sent_once_whatever_repeats(stripe: server.Stripe, stripe_account: Account) -> None:
    charge = paid(stripe_account)
    first = refund(stripe_account, charge, minor=4000)
    assert (first.state, first.amount) == (State.SUCCEEDED, Money(4000, "EUR"))
    assert refund(stripe_account, charge, minor=4000) == first
    stripe.clock.advance(25 * 3600)  # the key is pruned
    assert refund(stripe_account, charge, minor=4000) == first
    assert len(stripe.book.all("refund")) == 1
    assert refund(stripe_account, charge, "re2", minor=4000).provider_ref != first.provider_ref


def test_s6_two_workers_at_once_refund_once(
    stripe: server.Stripe, stripe_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither sees what the other has sent: the key alone decides."""
    charge = paid(stripe_account)
    monkeypatch.setattr(gateway, "find_refunds", lambda *args: [])
    assert refund(stripe_account, charge, minor=4000) == refund(stripe_account, charge, minor=4000)
    assert len(stripe.book.all("refund")) == 1


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
        (None, State.PENDING),  # Stripe's reference: nullable
        ("a_new_word", State.PENDING),
        ("pending", State.PENDING),
        ("requires_action", State.PENDING),
        ("succeeded", State.SUCCEEDED),
        ("failed", State.FAILED),
        ("canceled", State.FAILED),
    ],
)
def test_s7_every_state_of_a_refund(
    stripe: server.Stripe, stripe_account: Account, status: str | None, state: State
) -> None:
    charge = paid(stripe_account)
    refund(stripe_account, charge)
    stripe.book.move_refund(stripe.book.all("refund")[0], status)
    asked = provider.fetch_refund(stripe_account, reference="re1", charge="pay1", charge_ref=charge.provider_ref)
    assert asked.state is state
    assert asked.code == ("lost_or_stolen_card" if status == "failed" else "")


def test_s7_what_was_accepted_can_wait_and_what_succeeded_can_fail(
    stripe: server.Stripe, stripe_account: Account
) -> None:
    for reference, card, told, then in (
        ("pay1", REFUND_PENDS, State.PENDING, State.SUCCEEDED),
        ("pay2", REFUND_FAILS, State.SUCCEEDED, State.FAILED),
    ):
        charge = paid(stripe_account, reference, card=card)
        assert refund(stripe_account, charge, f"re_{reference}").state is told
        stripe.clock.advance(60)  # until the search knows the payment
        assert provider.fetch_refund(stripe_account, reference=f"re_{reference}", charge=reference).state is then


def test_s7_after_a_failure_support_can_send_it_again_and_once_only(
    stripe: server.Stripe, stripe_account: Account
) -> None:
    charge = paid(stripe_account)
    failed = refund(stripe_account, charge)
    stripe.book.move_refund(stripe.book.all("refund")[0], "failed")
    again = refund(stripe_account, charge)
    assert (again.state, again.provider_ref != failed.provider_ref) == (State.SUCCEEDED, True)
    assert refund(stripe_account, charge) == again
    asked = provider.fetch_refund(stripe_account, reference="re1", charge="pay1", charge_ref=charge.provider_ref)
    assert asked == again
    assert len(stripe.book.all("refund")) == 2


def test_a_refund_that_was_never_sent_is_unknown(stripe_account: Account) -> None:
    charge = paid(stripe_account)
    asked = provider.fetch_refund(stripe_account, reference="re1", charge="pay1", charge_ref=charge.provider_ref)
    assert asked.state is State.UNKNOWN
    assert provider.fetch_refund(stripe_account, reference="re1", charge="pay9").state is State.UNKNOWN


# Disputes


@pytest.mark.parametrize(
    ("status", "state", "inquiry"),
    [
        ("warning_needs_response", State.PENDING, True),
        ("warning_under_review", State.PENDING, True),
        ("warning_closed", State.SUCCEEDED, True),
        ("needs_response", State.PENDING, False),
        ("under_review", State.PENDING, False),
        ("prevented", State.SUCCEEDED, False),
        ("won", State.SUCCEEDED, False),
        ("lost", State.FAILED, False),
    ],
)
def test_s10_every_state_of_a_dispute_that_is_asked_about(
    stripe: server.Stripe, stripe_account: Account, status: str, state: State, inquiry: bool
) -> None:
    charge = paid(stripe_account)
    with stripe.lock:
        dispute = stripe.book.open_dispute(stripe.book.things[charge.provider_ref])
        dispute["status"] = status
    told = provider.fetch_dispute(stripe_account, dispute["id"])
    assert (told.state, told.provider_ref, told.amount, told.inquiry) == (state, dispute["id"], EUR90, inquiry)
    assert (told.code, "respond by" in told.message) == ("fraudulent", True)


def test_s10_a_dispute_is_asked_about_by_its_own_number_and_with_the_right_key_alone(
    stripe: server.Stripe, stripe_account: Account
) -> None:
    charge = paid(stripe_account)
    with stripe.lock:
        dispute = stripe.book.open_dispute(stripe.book.things[charge.provider_ref])
    for number in ("du_unknown", charge.provider_ref):
        assert provider.fetch_dispute(stripe_account, number) == Outcome(State.UNKNOWN, "", number)
    stranger = with_config(stripe_account, secret_key="sk_test_of0a0stranger")
    refused = refusal(lambda: provider.fetch_dispute(stranger, dispute["id"]))
    assert (refused.permanent, refused.for_shop) == (True, True)
    with stripe.lock:
        dispute["livemode"] = True
    assert refusal(lambda: provider.fetch_dispute(stripe_account, dispute["id"])).code == "livemode"


def test_s10_a_bill_has_the_disputes_that_took_money_or_gave_it_back(
    stripe: server.Stripe, stripe_account: Account
) -> None:
    charge = paid(stripe_account)
    with stripe.lock:
        intent = stripe.book.things[charge.provider_ref]
        stripe.book.open_dispute(intent, amount=100, inquiry=True)
        dispute = stripe.book.open_dispute(intent, amount=4000)

    def line(state: State, fee: int) -> BillLine:
        numbers = "dispute", "", dispute["id"], Money(4000, "EUR"), state
        return BillLine(*numbers, charge_ref=charge.provider_ref, fee=Money(fee, "USD"), code="fraudulent")

    def lines() -> list[BillLine]:
        day = stripe.clock.now().date()
        return [line for line in provider.bill(stripe_account, day) if line.about == "dispute"]

    assert lines() == [line(State.PENDING, 1500)]
    stripe.clock.advance(86_400)
    with stripe.lock:
        stripe.book.close_dispute(dispute, won=True)
    assert lines() == [line(State.SUCCEEDED, 0)]


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
    stripe: server.Stripe, stripe_account: Account, money: Money
) -> None:
    error = refusal(lambda: provider.start(stripe_account, order(amount=money)))
    assert (error.permanent, error.code) == (True, "amount")
    assert stripe.calls == []


def test_s8_every_currency_we_offer_is_taken_and_comes_back_the_same() -> None:
    assert EXPONENT.keys() >= CURRENCIES
    for code in CURRENCIES:
        money = Money(1_000_000, code)
        amounts.check(to_units(money), code.lower(), "amount")
        assert from_units(to_units(money), code.lower()) == money


# Bills


def test_a_bill_names_what_the_payer_paid_whatever_was_booked(stripe: server.Stripe, stripe_account: Account) -> None:
    one, two = paid(stripe_account, "pay1"), paid(stripe_account, "pay2", Money(500, "JPY"), REFUND_FAILS)
    first, second = refund(stripe_account, one, "re1", 4000), refund(stripe_account, two, "re2")
    day = stripe.clock.now().date()
    assert sorted(provider.bill(stripe_account, day), key=lambda line: (line.reference, line.state)) == [
        BillLine("charge", "pay1", one.provider_ref, EUR90, State.SUCCEEDED, fee=Money(160, "USD")),
        BillLine("charge", "pay2", two.provider_ref, Money(500, "JPY"), State.SUCCEEDED, fee=Money(37, "USD")),
        BillLine("refund", "re1", first.provider_ref, Money(4000, "EUR"), State.SUCCEEDED, "", one.provider_ref, FREE),
        BillLine(
            "refund", "re2", second.provider_ref, Money(500, "JPY"), State.FAILED, "", two.provider_ref, FREE
        ),  # as it went out
        BillLine(
            "refund", "re2", second.provider_ref, Money(500, "JPY"), State.FAILED, "", two.provider_ref, FREE
        ),  # as it came back
    ]
    assert list(provider.bill(stripe_account, day - timedelta(days=1))) == []
    assert list(provider.bill(stripe_account, day + timedelta(days=1))) == []


def test_a_bill_leaves_out_what_other_systems_do_with_the_account_however_much(
    stripe: server.Stripe, stripe_account: Account
) -> None:
    charge = paid(stripe_account)
    with stripe.lock:
        for _ in range(60):
            session = stripe.book.open_session(
                {
                    "line_items": {"0": {"quantity": "1", "price_data": {"currency": "usd", "unit_amount": "100"}}},
                    "success_url": "https://other.example/",
                }
            )
            stripe.book.pay(session)
            stripe.book.refund({"payment_intent": session["payment_intent"], "amount": "1"})
    day = stripe.clock.now().date()
    ours = BillLine("charge", "pay1", charge.provider_ref, EUR90, State.SUCCEEDED, fee=Money(160, "USD"))
    assert list(provider.bill(stripe_account, day)) == [ours]


def test_what_is_booked_for_others_in_a_coin_we_do_not_know_spoils_no_bill(
    stripe: server.Stripe, stripe_account: Account
) -> None:
    charge = paid(stripe_account)
    with stripe.lock:
        payout = stripe.book._book("payout", {"id": "po_1", "currency": "usd"}, -100)
        stripe.book.things[payout] |= {"currency": "usdc", "source": None}
    lines = list(provider.bill(stripe_account, stripe.clock.now().date()))
    assert [line.provider_ref for line in lines] == [charge.provider_ref]


def test_a_bill_shows_a_refund_made_by_hand(stripe: server.Stripe, stripe_account: Account) -> None:
    charge = paid(stripe_account)
    with stripe.lock:
        by_hand = stripe.book.refund({"payment_intent": charge.provider_ref, "amount": "700"})
    lines = list(provider.bill(stripe_account, stripe.clock.now().date()))
    assert lines[0] == BillLine(
        "refund", "", by_hand["id"], Money(700, "EUR"), State.SUCCEEDED, charge_ref=charge.provider_ref, fee=FREE
    )
