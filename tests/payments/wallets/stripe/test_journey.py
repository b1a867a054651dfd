"""What is Stripe's own, from the tap to the books."""

import json
from collections.abc import Callable

import pytest

from payments.models import Payment, ProviderEvent, Refund
from payments.offers.weighing import Surface
from payments.settlement import lifecycle, reconcile, refunds
from payments.settlement.rules import Payer
from payments.wallets.stripe.emulator.book import REFUND_FAILS, REFUND_PENDS
from payments.wallets.stripe.emulator.server import Stripe
from tests import shop
from tests.payments.scene import RawNotification, Scene
from tests.payments.wallets.stripe.shop import signature

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("stage", ["card"], indirect=True)]


def raw(body: bytes) -> RawNotification:
    return RawNotification({"stripe-signature": signature(body), "content-type": "application/json"}, body)


def test_a_signed_event_is_believed_without_asking(scene: Scene) -> None:
    scene.notification()
    assert scene.hear() == [200]
    assert scene.stands() == ("paid", "succeeded", 9000)
    assert scene.calls == []


def test_s3_two_events_of_one_payment_in_any_order_count_once(scene: Scene) -> None:
    body = scene.notification().body
    other = json.dumps(json.loads(body) | {"id": "evt_other", "type": "checkout.session.async_payment_succeeded"})
    unpaid = json.loads(body) | {"id": "evt_unpaid"}
    unpaid["data"]["object"] |= {"payment_status": "unpaid"}
    scene.postbox.notifications = [raw(it) for it in (body, other.encode(), json.dumps(unpaid).encode(), body)]
    assert scene.hear() == [200] * 4
    assert scene.stands() == ("paid", "succeeded", 9000)
    assert ProviderEvent.objects.count() == 3
    assert not Refund.objects.exists()


@pytest.mark.parametrize("reference", ["someone-elses", ""])
def test_an_event_that_is_none_of_ours_moves_nothing(scene: Scene, reference: str) -> None:
    strange = scene.notification().body.replace(scene.payment.reference.encode(), reference.encode())
    scene.postbox.notifications = [raw(strange)]
    assert scene.hear() == [200]
    event = ProviderEvent.objects.get()
    assert (event.orphaned_at is not None) == bool(reference)
    assert scene.stands() == ("open", "pending", 0)


@pytest.mark.parametrize(
    ("card", "begins", "ends"), [(REFUND_PENDS, "submitted", "succeeded"), (REFUND_FAILS, "succeeded", "failed")]
)
def test_s7_a_refund_that_waits_or_fails_after_all_ends_as_stripe_says(
    scene: Scene, card: str, begins: str, ends: str
) -> None:
    """Its events come backwards, and each says what was true when it was made."""
    scene.pay(card)
    scene.hear()
    refund = refunds.refund_payment(scene.payment.pk, actor="merchant")
    refunds.send()
    refund.refresh_from_db()
    assert refund.status == begins
    scene.wallet.notifier.settle()
    scene.postbox.notifications.reverse()
    scene.hear()
    refund.refresh_from_db()
    assert refund.status == ends
    assert scene.stands() == ("paid", "succeeded", 9000)


def test_s7_a_refund_that_waits_is_followed_without_any_event(scene: Scene, move_time: Callable[[float], None]) -> None:
    scene.pay(REFUND_PENDS)
    move_time(60)
    reconcile.ask()
    refund = refunds.refund_payment(scene.payment.pk, actor="merchant")
    refunds.send()
    move_time(60)
    refunds.send()
    refund.refresh_from_db()
    assert refund.status == "succeeded"


def test_s5_a_hold_that_ends_is_expired_at_stripe_and_what_was_paid_first_counts(
    scene: Scene, move_time: Callable[[float], None]
) -> None:
    scene.pay()
    idle = shop.begin(
        shop.make_request(shop.make_order(scene.account.merchant)),
        method="card",
        payer=Payer(visitor="Bo"),
        surface=Surface(),
    )
    move_time(15 * 60)
    reconcile.ask()
    assert isinstance(scene.wallet, Stripe)
    assert scene.wallet.book.things[idle.provider_session]["status"] == "expired"
    assert sorted(payment.status for payment in Payment.objects.all()) == ["cancelled", "succeeded"]
    assert scene.moved() == ([9000], [])


def test_money_that_comes_after_the_request_was_cancelled_goes_back(
    scene: Scene, move_time: Callable[[float], None]
) -> None:
    scene.pay()
    lifecycle.cancel_request(scene.payment_request.pk, actor="buyer")
    for _question in range(3):
        move_time(60)
        reconcile.ask()
        refunds.send()
    assert scene.stands() == ("cancelled", "succeeded", 9000)
    assert scene.moved() == ([9000], [9000])
