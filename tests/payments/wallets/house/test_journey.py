"""A shop with a gateway of its own, from the tap to the books: its captures settle, and what does not fit goes back by
its own refund call.
"""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from django.test import Client

from payments import tasks
from payments.models import BillDay, BillMismatch, Payment, PaymentRequest, ProviderEvent, Refund
from payments.offers import weighing
from payments.offers.weighing import Surface
from payments.settlement import bill_days, ledger, lifecycle
from payments.settlement.rules import Payer, Split
from payments.wallets.house.emulator.server import House
from tests import shop
from tests.pages import words
from tests.payments.scene import Scene

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("stage", ["house"], indirect=True)]

MoveTime = Callable[[float], None]


def house(stage: Scene) -> House:
    assert isinstance(stage.wallet, House)
    return stage.wallet


def tap(stage: Scene, request: PaymentRequest, friend: str, amount: int | None = None) -> Payment:
    """A friend chooses the shop's gateway and opens its page."""
    payer = Payer(name=friend, visitor=friend)
    payment = shop.begin(request, method="house", payer=payer, surface=Surface(), amount=amount)
    assert httpx.get(payment.next_step["url"], trust_env=False).status_code == 200
    return payment


def pay(payment: Payment) -> None:
    httpx.post(payment.next_step["url"], data={"choice": "approve"}, trust_env=False)


def later(stage: Scene, move_time: MoveTime, seconds: float) -> None:
    """Time passes on both sides."""
    move_time(seconds)
    stage.wallet.clock.advance(seconds)
    stage.wallet.clock.stamp = stage.wallet.clock.now  # type: ignore[method-assign]


def sweep(stage: Scene, move_time: MoveTime, times: int = 3) -> None:
    """What the gateway tells reaches us, and some time later our sweeps ask and send."""
    for _time in range(times):
        assert set(stage.hear()) <= {204}
        stage.postbox.notifications.clear()
        later(stage, move_time, 3600)
        tasks.sweep_payments()
        tasks.sweep_refunds()


def test_three_friends_chip_in(stage: Scene, move_time: MoveTime) -> None:
    request = shop.make_request(shop.make_order(stage.account.merchant, amount=10_000), split=Split(3, 100))
    for friend, part in (("Mei", 3334), ("Ann", 3333), ("Bo", 3333)):
        pay(tap(stage, request, friend, part))
        assert set(stage.hear()) == {204}
    request.refresh_from_db()
    assert (request.status, request.amount_paid) == ("paid", 10_000)
    sweep(stage, move_time)
    assert (stage.moved(), ledger.check()) == (([3334, 3333, 3333], []), [])


def test_late_duplicate_and_surplus_captures_go_back_by_the_shops_own_refund_call(
    stage: Scene, move_time: MoveTime
) -> None:
    """Ann's bank takes its time: her payment is closed at the shop, and captured all the same."""
    book = house(stage).book
    order = shop.make_order(stage.account.merchant, amount=9000)
    request = shop.make_request(order, split=Split(3, 100), expires_in=timedelta(hours=12))
    ann = tap(stage, request, "Ann", 6000)
    later(stage, move_time, 16 * 60)
    tasks.sweep_payments()
    assert book.orders[ann.reference].status == "closed"
    pay(mei := tap(stage, request, "Mei", 5000))
    sweep(stage, move_time, 1)
    book.capture(ann.reference)  # 4000 of it fit
    sweep(stage, move_time, 1)
    book.charge_again(mei.reference)
    bo = tap(stage, other := shop.make_request(shop.make_order(stage.account.merchant, amount=500)), "Bo")
    lifecycle.cancel_request(other.pk, actor="merchant")
    book.capture(bo.reference)
    sweep(stage, move_time)

    request.refresh_from_db()
    assert (request.status, request.amount_paid) == ("paid", 9000)
    assert set(Refund.objects.values_list("reason", "amount", "status")) == {
        ("surplus", 2000, "succeeded"),
        ("duplicate", 5000, "succeeded"),
        ("late", 500, "succeeded"),
    }
    assert house(stage).calls.count("refund.create") == 3
    assert stage.moved() == ([6000, 5000, 5000, 500], [2000, 5000, 500])
    assert (ledger.check(), ProviderEvent.objects.filter(orphaned_at__isnull=False).count()) == ([], 0)


def test_a_wrong_amount_goes_back(scene: Scene, move_time: MoveTime) -> None:
    scene.wallet.faults.set("wrong_amount")
    scene.pay()
    sweep(scene, move_time)
    assert scene.moved() == ([8999], [8999])
    assert Refund.objects.get().reason == "mismatch"


def test_who_never_opens_the_link_holds_nothing_for_ever(scene: Scene, move_time: MoveTime) -> None:
    """The shop hears of it by the closing at the latest, and its link is worth nothing then."""
    sweep(scene, move_time, 1)
    assert scene.stands() == ("open", "cancelled", 0)
    assert httpx.post(scene.page(), data={"choice": "approve"}, trust_env=False).status_code == 409
    sweep(scene, move_time)
    assert scene.moved() == ([], [])


def test_a_refusal_at_the_shop_is_told_and_asked_about(scene: Scene) -> None:
    httpx.post(scene.page(), data={"choice": "refuse"}, trust_env=False)
    assert scene.hear() == [204]
    assert scene.stands() == ("open", "failed", 0)
    assert (scene.payment.code, house(scene).calls) == ("declined", ["payment.get"])


def test_a_refund_in_the_shops_own_desk_is_booked(scene: Scene) -> None:
    scene.pay()
    scene.hear()
    house(scene).book.by_hand(scene.payment.reference, 2500)
    scene.hear()
    refund = Refund.objects.get()
    assert (refund.external, refund.amount, refund.status) == (True, 2500, "succeeded")
    assert scene.stands() == ("paid", "succeeded", 9000)


def test_the_same_event_is_booked_once_and_a_second_event_under_its_id_is_not_lost(scene: Scene) -> None:
    """Ids are the shop's to keep apart; where it does not, money is counted all the same."""
    scene.pay()
    scene.hear()
    scene.hear()
    assert ProviderEvent.objects.count() == 1
    assert scene.stands() == ("paid", "succeeded", 9000)


def test_a_gateway_without_bills_is_not_asked_for_any_and_misses_nothing(scene: Scene, move_time: MoveTime) -> None:
    scene.account.granted = []
    scene.account.save()
    scene.pay()
    scene.hear()
    move_time(4 * 24 * 3600)
    bill_days.compare_due()
    assert set(BillDay.objects.filter(account=scene.account).values_list("next_attempt_at", "error")) == {(None, "")}
    assert not BillMismatch.objects.exists()
    assert "bill.get" not in house(scene).calls


@pytest.mark.parametrize(
    ("name", "live", "shown"),
    [
        ("", True, "Corner shop checkout"),
        ("", False, "Corner shop checkout (simulated)"),
        ("Apple Pay, card or invoice", True, "Apple Pay, card or invoice"),
    ],
)
def test_friends_read_the_shops_own_words(stage: Scene, name: str, live: bool, shown: str) -> None:
    stage.account.config = stage.account.config | {"label": name}
    stage.account.live = live
    stage.account.merchant.name = "Corner shop"
    assert weighing.label("house", stage.account) == shown


def test_the_friends_page_leads_to_the_shop_and_nowhere_else(client: Client, stage: Scene) -> None:
    address = f"/p/{stage.payment_request.token}/"
    page = client.get(address)
    assert " checkout" in words(page)
    assert stage.wallet.url in page.headers["content-security-policy"]
    answer = client.post(f"{address}pay/", {"method": "house", "name": "Mei"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{stage.wallet.url}?friendpay=")
