"""Every fault of protocols P2 through the provider: the end is right."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from payments.wallets.alipay.emulator import server
from payments.wallets.base import Account, ProviderError, State
from tests.payments.wallets.alipay.shop import CNY90, Shop, order, paid, pay, provider, refund


@pytest.mark.parametrize("fault", ["duplicate_notification", "reorder_notification", "delay_notification"])
def test_notifications_twice_reordered_or_late_mean_the_same(
    alipay: server.Alipay, alipay_account: Account, alipay_shop: Shop, fault: str
) -> None:
    alipay.faults.set(fault, seconds=3600)
    paid(alipay_account, "pay1", notify=f"{alipay_shop.url}/notify/")
    paid(alipay_account, "pay2", notify=f"{alipay_shop.url}/notify/")
    alipay.clock.advance(3600)
    alipay_shop.until(lambda: len(alipay_shop.heard) >= 2 + (fault == "duplicate_notification"))
    assert len({told.event_id for told in alipay_shop.heard}) == 2
    assert {provider.fetch(alipay_account, told.reference).state for told in alipay_shop.heard} == {State.SUCCEEDED}


def test_a_dropped_notification_is_found_by_asking(
    alipay: server.Alipay, alipay_account: Account, alipay_shop: Shop
) -> None:
    alipay.faults.set("drop_notification")
    paid(alipay_account, notify=f"{alipay_shop.url}/notify/")
    alipay.notifier.settle()
    assert alipay_shop.bodies == []
    assert provider.fetch(alipay_account, "pay1").amount == CNY90


@pytest.mark.parametrize("skew", [-100_000, 100_000])
def test_a_notification_by_a_wrong_clock_is_refused_and_its_retry_taken(
    alipay: server.Alipay, alipay_account: Account, alipay_shop: Shop, skew: int
) -> None:
    alipay.faults.set("clock_skew", seconds=skew)
    paid(alipay_account, notify=f"{alipay_shop.url}/notify/")
    alipay_shop.until(lambda: alipay_shop.heard)
    assert alipay_shop.refused == [400]


def test_a_stranger_signing_notifications_and_answers_is_not_believed(
    alipay: server.Alipay, alipay_account: Account, alipay_shop: Shop
) -> None:
    alipay.faults.set("wrong_key", only="trade_status_sync")
    paid(alipay_account, notify=f"{alipay_shop.url}/notify/")
    alipay_shop.until(lambda: alipay_shop.heard)
    assert alipay_shop.refused == [401]

    alipay.faults.set("wrong_key")
    with pytest.raises(ProviderError) as error:
        provider.fetch(alipay_account, "pay1")
    assert (error.value.code, error.value.permanent) == ("signature", False)


@pytest.mark.parametrize("fault", ["hang_after_commit", "error_after_commit"])
def test_a_call_that_took_effect_without_an_answer_is_made_again_and_counts_once(
    alipay: server.Alipay, alipay_account: Account, fault: str
) -> None:
    def twice(call: Callable[[], Any]) -> Any:
        alipay.faults.set(fault, seconds=0.02)
        with pytest.raises(ProviderError) as error:
            call()
        assert not error.value.permanent
        return call()

    start = order()
    pay(twice(lambda: provider.start(alipay_account, start)))
    assert provider.fetch(alipay_account, "pay1").amount == CNY90
    assert twice(lambda: refund(alipay_account, "re1", 1000)).state is State.SUCCEEDED
    assert alipay.book.trades["pay1"].refunded == 1000

    httpx.get(provider.start(alipay_account, order("pay2")).code, trust_env=False)
    assert twice(lambda: provider.close(alipay_account, "pay2")).state is State.FAILED
