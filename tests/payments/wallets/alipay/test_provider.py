"""What the Alipay provider asks for, and what it makes of the answers: rules A3 and A6 to A9."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from friendpay.kit.money import Money
from payments.wallets.alipay.emulator import server
from payments.wallets.base import BEIJING, Account, BillLine, NoBill, Outcome, ProviderError, Rail, State
from tests.payments.wallets.alipay.shop import CNY90, order, paid, pay, provider, refund

# Starting


def test_starting_again_gives_the_same_code(alipay: server.Alipay, alipay_account: Account) -> None:
    start = order()
    assert provider.start(alipay_account, start) == provider.start(alipay_account, start)


@pytest.mark.parametrize(
    ("rail", "method"), [(Rail.H5, "alipay.trade.wap.pay"), (Rail.REDIRECT, "alipay.trade.page.pay")]
)
def test_a_jump_is_a_signed_link_that_brings_the_payer_back(
    alipay: server.Alipay, alipay_account: Account, rail: Rail, method: str
) -> None:
    step = provider.start(alipay_account, order(rail=rail))
    assert (step.rail, step.code, alipay.calls) == (rail, "", [])
    answer = pay(step)
    assert alipay.calls == [method]
    assert answer.headers["location"].startswith("http://127.0.0.1:9/r/token/?")
    assert provider.fetch(alipay_account, "pay1").amount == CNY90


def test_starting_what_is_paid_is_to_be_asked_about_not_given_up(
    alipay: server.Alipay, alipay_account: Account
) -> None:
    start = order()
    pay(provider.start(alipay_account, start))
    with pytest.raises(ProviderError) as error:
        provider.start(alipay_account, start)
    assert (error.value.code, error.value.permanent) == ("ACQ.TRADE_HAS_SUCCESS", False)


def test_times_are_sent_in_gmt8_wherever_the_machine_is(
    alipay: server.Alipay, alipay_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        start = replace(order(rail=Rail.H5), deadline=datetime(2026, 1, 1, 20, 30, 59, 900_000, tzinfo=UTC))
        query = parse_qs(urlsplit(provider.start(alipay_account, start).url).query)
        provider.start(alipay_account, order())  # the emulator takes no stamp that is hours off
    finally:
        monkeypatch.undo()
        time.tzset()
    assert json.loads(query["biz_content"][0])["time_expire"] == "2026-01-02 04:30:59"


def test_other_money_and_other_rails_are_refused(alipay_account: Account) -> None:
    with pytest.raises(ValueError, match="CNY"):
        provider.start(alipay_account, replace(order(), amount=Money(100, "EUR")))
    with pytest.raises(ValueError, match="rail"):
        provider.start(alipay_account, replace(order(), rail=Rail.JSAPI))


@pytest.mark.parametrize("subject", ["Mei&total_amount=100.00", "a=b", "a/b", "", "a\nb", "a.b", "x" * 129])
def test_a2_a_subject_of_other_symbols_never_reaches_alipay(
    alipay: server.Alipay, alipay_account: Account, subject: str
) -> None:
    for rail in provider.rails:
        with pytest.raises(ValueError, match="subject"):
            provider.start(alipay_account, replace(order(rail=rail), subject=subject))
    assert alipay.calls == []


# Whose answer, what amount, which status


def test_a3_the_amount_told_is_the_one_that_was_taken(alipay: server.Alipay, alipay_account: Account) -> None:
    alipay.faults.set("wrong_amount")
    paid(alipay_account)
    assert provider.fetch(alipay_account, "pay1").amount == Money(8999, "CNY")


def test_a3_an_answer_about_another_order_is_not_believed(alipay: server.Alipay, alipay_account: Account) -> None:
    alipay.scripted.append(
        {
            "code": "10000",
            "out_trade_no": "pay2",
            "trade_no": "1",
            "trade_status": "TRADE_SUCCESS",
            "total_amount": "90.00",
        }
    )
    with pytest.raises(ProviderError) as error:
        provider.fetch(alipay_account, "pay1")
    assert not error.value.permanent


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("WAIT_BUYER_PAY", State.PENDING),
        ("TRADE_SUCCESS", State.SUCCEEDED),
        ("TRADE_FINISHED", State.SUCCEEDED),
        ("TRADE_CLOSED", State.FAILED),
        ("TRADE_PENDING", State.UNKNOWN),
    ],
)
def test_a6_only_success_and_finished_pay(
    alipay: server.Alipay, alipay_account: Account, status: str, state: State
) -> None:
    alipay.scripted.append(
        {"code": "10000", "out_trade_no": "pay1", "trade_no": "7", "trade_status": status, "total_amount": "90.00"}
    )
    outcome = provider.fetch(alipay_account, "pay1")
    assert outcome.state is state
    assert outcome.code == status
    assert (outcome.amount, outcome.provider_ref) == ((CNY90, "7") if state is State.SUCCEEDED else (None, ""))


@pytest.mark.parametrize("choice", ["refuse", "lapse"])
def test_an_opened_order_that_ends_unpaid_is_failed(
    alipay: server.Alipay, alipay_account: Account, choice: str
) -> None:
    step = provider.start(alipay_account, order())
    httpx.get(step.code, trust_env=False)
    assert provider.fetch(alipay_account, "pay1").state is State.PENDING
    pay(step, choice)
    assert provider.fetch(alipay_account, "pay1").state is State.FAILED


def test_closing_an_opened_order_ends_it(alipay: server.Alipay, alipay_account: Account) -> None:
    step = provider.start(alipay_account, order())
    httpx.get(step.code, trust_env=False)
    assert provider.close(alipay_account, "pay1").state is State.FAILED
    assert pay(step).status_code == 410


# A7: an order is no trade before it is opened


def test_a7_an_unopened_order_is_unknown_to_query_and_close_and_stays_payable(
    alipay: server.Alipay, alipay_account: Account
) -> None:
    step = provider.start(alipay_account, order())
    for outcome in (provider.fetch(alipay_account, "pay1"), provider.close(alipay_account, "pay1")):
        assert (outcome.state, outcome.code) == (State.UNKNOWN, "ACQ.TRADE_NOT_EXIST")
    pay(step)
    assert provider.fetch(alipay_account, "pay1").state is State.SUCCEEDED


def test_a7_alipay_gets_our_deadline_and_takes_nothing_after_it(alipay: server.Alipay, alipay_account: Account) -> None:
    step = provider.start(alipay_account, order())
    alipay.clock.advance(601)
    assert pay(step).status_code == 410
    assert provider.fetch(alipay_account, "pay1").state is State.UNKNOWN


# A8: refunds


def test_a8_a_refund_is_sent_again_with_its_own_number_and_happens_once(
    alipay: server.Alipay, alipay_account: Account
) -> None:
    paid(alipay_account)
    first, again = refund(alipay_account, "re1", 1000), refund(alipay_account, "re1", 1000)
    assert (first.state, first.amount) == (again.state, again.amount) == (State.SUCCEEDED, Money(1000, "CNY"))
    assert alipay.book.trades["pay1"].refunded == 1000
    assert alipay.calls[-1] == "alipay.trade.fastpay.refund.query"  # fund_change=N: looked up


def test_a8_accepted_is_not_refunded(alipay: server.Alipay, alipay_account: Account) -> None:
    paid(alipay_account)
    alipay.book.refund_seconds = 60
    assert refund(alipay_account).state is State.PENDING
    assert provider.fetch_refund(alipay_account, reference="re1", charge="pay1").state is State.UNKNOWN
    alipay.clock.advance(61)
    assert provider.fetch_refund(alipay_account, reference="re1", charge="pay1") == Outcome(
        State.SUCCEEDED,
        "re1",
        provider_ref=alipay.book.trades["pay1"].trade_no,
        amount=CNY90,
        code="REFUND_SUCCESS",
    )


def test_a8_a_failing_question_does_not_fail_a_refund_that_was_taken(
    alipay: server.Alipay, alipay_account: Account
) -> None:
    taken = {"code": "10000", "out_trade_no": "pay1", "fund_change": "N", "trade_no": "7"}
    alipay.scripted += [taken, {"code": "40006", "sub_code": "isv.insufficient-isv-permissions", "sub_msg": "no"}]
    outcome = refund(alipay_account)
    assert (outcome.state, outcome.code) == (State.PENDING, "isv.insufficient-isv-permissions")


def test_a8_a_refund_beyond_the_payment_is_refused_for_good_in_alipays_words(
    alipay: server.Alipay, alipay_account: Account
) -> None:
    paid(alipay_account)
    refund(alipay_account, "re1", 8000)
    with pytest.raises(ProviderError) as error:
        refund(alipay_account, "re2", 2000)
    assert error.value.permanent
    assert (error.value.code, error.value.message) == ("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效")


def test_a_refund_nobody_knows_is_unknown(alipay: server.Alipay, alipay_account: Account) -> None:
    assert provider.fetch_refund(alipay_account, reference="re1", charge="pay1").state is State.UNKNOWN
    paid(alipay_account)
    assert provider.fetch_refund(alipay_account, reference="re1", charge="pay1").state is State.UNKNOWN


# A9: never cancel


def test_a9_closing_a_paid_order_says_so_and_refunds_nothing(alipay: server.Alipay, alipay_account: Account) -> None:
    paid(alipay_account)
    alipay.calls.clear()
    outcome = provider.close(alipay_account, "pay1")
    assert (outcome.state, outcome.amount) == (State.SUCCEEDED, CNY90)
    assert alipay.book.trades["pay1"].refunded == 0
    assert alipay.calls == ["alipay.trade.close", "alipay.trade.query"]


# Bills


def test_the_bill_lists_every_charge_and_refund_of_a_day(alipay: server.Alipay, alipay_account: Account) -> None:
    paid(alipay_account, "pay1")
    paid(alipay_account, "pay2")
    provider.start(alipay_account, order("pay3"))
    refund(alipay_account, "re1", 1050, charge="pay1")
    today = alipay.clock.now().astimezone(BEIJING).date()
    with pytest.raises(NoBill):  # not before the day is over
        provider.bill(alipay_account, today)
    alipay.clock.advance(86_400)
    numbers = {name: trade.trade_no for name, trade in alipay.book.trades.items()}
    assert list(provider.bill(alipay_account, today)) == [
        BillLine("charge", "pay1", numbers["pay1"], CNY90, State.SUCCEEDED, fee=Money(54, "CNY")),
        BillLine("refund", "re1", "", Money(1050, "CNY"), State.SUCCEEDED, "pay1", numbers["pay1"], Money(-6, "CNY")),
        BillLine("charge", "pay2", numbers["pay2"], CNY90, State.SUCCEEDED, fee=Money(54, "CNY")),
    ]
    with pytest.raises(NoBill):
        provider.bill(alipay_account, today - timedelta(days=1))
    alipay.book.empty_bills = True
    assert list(provider.bill(alipay_account, today - timedelta(days=1))) == []


def test_a_bill_that_cannot_be_read_is_an_error_not_an_empty_day(
    alipay: server.Alipay, alipay_account: Account
) -> None:
    alipay.bills["odd"] = alipay.clock.now() + timedelta(minutes=1), b"no zip"
    alipay.scripted.append({"code": "10000", "bill_download_url": f"{alipay.url}/bill/odd"})
    with pytest.raises(ProviderError) as error:
        provider.bill(alipay_account, alipay.clock.now().date())
    assert not error.value.permanent


# Products


@pytest.mark.parametrize(
    ("granted", "product"),
    [
        ({"order_code"}, "QR_CODE_OFFLINE"),
        ({"face_to_face"}, "FACE_TO_FACE_PAYMENT"),
        ({"face_to_face", "order_code"}, "QR_CODE_OFFLINE"),
    ],
)
def test_a11_a_code_is_of_the_product_the_account_has(
    alipay: server.Alipay, alipay_account: Account, granted: set[str], product: str
) -> None:
    alipay.contracts = {product}
    provider.start(replace(alipay_account, granted=frozenset(granted)), order())
    assert alipay.book.trades["pay1"].call.content["product_code"] == product


@pytest.mark.parametrize("contracts", [{"FACE_TO_FACE_PAYMENT"}, set()])
def test_a11_a_product_the_account_lacks_is_the_shops_to_mend(
    alipay: server.Alipay, alipay_account: Account, contracts: set[str]
) -> None:
    alipay.contracts = contracts
    with pytest.raises(ProviderError) as error:
        provider.start(replace(alipay_account, granted=frozenset({"order_code"})), order())
    assert (error.value.permanent, error.value.for_shop) == (True, True)
    assert alipay.book.trades == {}


def test_a11_testing_the_account_says_which_product_works(alipay: server.Alipay, alipay_account: Account) -> None:
    alipay.contracts = {"QR_CODE_OFFLINE", "QUICK_WAP_WAY"}
    everything = replace(alipay_account, granted=frozenset(provider.grants))
    said = provider.check(everything)
    assert "订单码支付 works." in said
    assert "当面付 is refused: 无权限使用接口 (ACQ.ACCESS_FORBIDDEN)." in said
    assert "手机网站支付 opens." in said
    assert "电脑网站支付 is refused" in said
    assert "订单码支付" not in provider.check(replace(alipay_account, granted=frozenset({"h5"})))
    assert alipay.book.moved() == ([], [])
