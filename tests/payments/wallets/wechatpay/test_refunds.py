"""Money sent back through WeChat Pay: rule W8."""

import pytest

from payments.wallets.base import Account, ProviderError, RefundOrder, State
from payments.wallets.wechatpay.emulator import server
from payments.wallets.wechatpay.emulator.requests import Problem
from tests.payments.wallets.wechatpay.shop import CNY90, paid, provider, refund


def test_w8_a_refund_sent_again_is_the_same_refund(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    paid(wechatpay, wechatpay_account)
    for _ in range(2):
        refund(wechatpay_account, minor=9000)
    assert len(wechatpay.book.orders["payment1"].refunds) == 1
    done = provider.fetch_refund(wechatpay_account, reference="refund1", charge="payment1")
    assert (done.state, done.amount, done.provider_ref[:5]) == (State.SUCCEEDED, CNY90, "50300")


def test_w8_accepted_is_not_refunded(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    paid(wechatpay, wechatpay_account)
    accepted = refund(wechatpay_account)
    assert (accepted.state, accepted.amount, accepted.code) == (State.PENDING, None, "PROCESSING")


@pytest.mark.parametrize(
    ("end", "state", "for_shop", "dead"),
    [("CLOSED", State.FAILED, False, True), ("ABNORMAL", State.PENDING, True, False)],
)
def test_w8_a_closed_refund_is_dead_and_an_abnormal_one_waits_for_the_shop(
    wechatpay: server.WeChatPay, wechatpay_account: Account, end: str, state: State, for_shop: bool, dead: bool
) -> None:
    wechatpay.book.refunds_wait = True
    paid(wechatpay, wechatpay_account)
    refund(wechatpay_account)
    wechatpay.book.end_refund("refund1", end)
    told = provider.fetch_refund(wechatpay_account, reference="refund1", charge="payment1")
    assert (told.state, told.amount, told.code) == (state, None, end)
    assert (told.for_shop, told.dead) == (for_shop, dead)


def test_w8_too_much_too_often_or_too_late_is_refused_for_good(
    wechatpay: server.WeChatPay, wechatpay_account: Account
) -> None:
    paid(wechatpay, wechatpay_account)
    for number in range(50):
        refund(wechatpay_account, f"part{number}", 1)
        wechatpay.clock.advance(60)

    def refused(**changed: object) -> bool:
        with pytest.raises(ProviderError) as error:
            refund(wechatpay_account, **changed)  # type: ignore[arg-type]
        return error.value.permanent

    assert refused(reference="part50", minor=1)
    paid(wechatpay, wechatpay_account, "payment2")
    assert refused(charge="payment2", minor=9001)
    wechatpay.clock.advance(366 * 86400)
    assert refused(charge="payment2")
    assert provider.fetch_refund(wechatpay_account, reference="refund1", charge="payment2").state == State.UNKNOWN


def test_w8_a_second_refund_of_one_payment_within_the_minute_is_put_off_not_refused_for_good(
    wechatpay: server.WeChatPay, wechatpay_account: Account
) -> None:
    for number in ("payment1", "payment2"):
        paid(wechatpay, wechatpay_account, number)
    refund(wechatpay_account, "part1", 1000)
    refund(wechatpay_account, "part1", 1000)  # the same again is no second one
    refund(wechatpay_account, "other", 1000, "payment2")
    for seconds in (0, 30, 29):
        wechatpay.clock.advance(seconds)
        with pytest.raises(ProviderError) as error:
            refund(wechatpay_account, "part2", 1000)
        assert (error.value.code, error.value.permanent, error.value.for_shop) == ("FREQUENCY_LIMITED", False, False)
    assert list(wechatpay.book.orders["payment1"].refunds) == ["part1"]
    wechatpay.clock.advance(2)
    refund(wechatpay_account, "part2", 1000)
    assert list(wechatpay.book.orders["payment1"].refunds) == ["part1", "part2"]


def test_a_refund_waits_for_the_shops_balance(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    paid(wechatpay, wechatpay_account)
    wechatpay.scripted.append(Problem(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"))
    with pytest.raises(ProviderError) as error:
        refund(wechatpay_account)
    assert (error.value.permanent, error.value.code) == (False, "NOT_ENOUGH")
    assert error.value.message == "基本账户余额不足，请充值后重新发起"


@pytest.mark.parametrize(
    ("problem", "for_shop"),
    [
        (Problem(401, "SIGN_ERROR", "签名错误", signed=False), True),
        (Problem(403, "NO_AUTH", "商户无权限"), True),
        (Problem(403, "NOT_ENOUGH", "余额不足"), True),
        (Problem(404, "MCH_NOT_EXISTS", "商户号不存在"), True),
        (Problem(403, "USER_ACCOUNT_ABNORMAL", "用户账户异常"), False),
        (Problem(403, "REQUEST_BLOCKED", "请求受阻"), False),
        (Problem(400, "INVALID_REQUEST", "申请退款金额大于订单可退金额"), False),
    ],
)
def test_which_refusals_the_shop_can_put_right(
    wechatpay: server.WeChatPay, wechatpay_account: Account, problem: Problem, for_shop: bool
) -> None:
    paid(wechatpay, wechatpay_account)
    wechatpay.scripted += [problem] * 2
    with pytest.raises(ProviderError) as error:
        refund(wechatpay_account)
    assert error.value.for_shop is for_shop


def test_a_refund_of_another_charge_is_not_believed(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    paid(wechatpay, wechatpay_account)
    refund(wechatpay_account)
    with pytest.raises(ProviderError) as error:
        provider.fetch_refund(wechatpay_account, reference="refund1", charge="payment2")
    assert (error.value.code, error.value.permanent) == ("mismatch", False)


def test_a_long_reason_is_cut_to_what_wechat_pay_takes(wechatpay: server.WeChatPay, wechatpay_account: Account) -> None:
    paid(wechatpay, wechatpay_account)
    asked = RefundOrder("refund1", "payment1", "", CNY90, charged=CNY90, reason="来得太晚" * 20)
    provider.refund(wechatpay_account, asked)
    assert wechatpay.book.orders["payment1"].refunds["refund1"].content["reason"] == ("来得太晚" * 20)[:26]
