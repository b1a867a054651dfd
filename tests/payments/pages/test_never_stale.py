"""A stale page is impossible: whatever a page shows is changed on another connection, and the next answer shows it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from django.db import connection
from django.test import Client

from friendpay.kit.money import Money
from orders.models import Merchant, Order, Picture
from payments.models import PaymentRequest, ProviderAccount, RolloutRule
from payments.settlement import requests
from payments.settlement.lifecycle import cancel_request, let_go, settle
from payments.settlement.rules import Split
from tests import shop
from tests.pages import words


@dataclass(frozen=True)
class Change:
    """Something that is changed, and what the page's source says from then on, or (with `gone`) no more."""

    what: str
    change: Callable[[PaymentRequest], object]
    says: str = ""
    gone: str = ""


def merchant(**values: object) -> Callable[[PaymentRequest], object]:
    return lambda it: Merchant.objects.filter(pk=it.merchant_id).update(**values)


def account(**values: object) -> Callable[[PaymentRequest], object]:
    return lambda it: ProviderAccount.objects.filter(merchant=it.merchant_id).update(**values)


def rule(it: PaymentRequest) -> object:
    return RolloutRule.objects.create(merchant_id=it.merchant_id, method="sandbox", denied_buyers=["lin"])


def end_hold(it: PaymentRequest) -> object:
    return let_go(it.payments.get(held_until__isnull=False).pk)


def pay(it: PaymentRequest) -> object:
    payment = shop.hold(it, name="Ann")
    return settle(payment.pk, provider_ref="txn", amount=Money(payment.amount, payment.currency))


def show(it: PaymentRequest) -> object:
    picture = Picture.objects.create(merchant_id=it.merchant_id, url="", created_at=it.created_at, status="ready")
    return it.order.lines.update(picture=picture)


def hide(it: PaymentRequest) -> object:
    return Picture.objects.update(status="failed")


WALLET = "with Sandbox wallet"
CHANGES = [
    Change("look", merchant(accent="#0b7a4b"), says="look/0b7a4b.css"),
    Change("name", merchant(name="River Tea"), says="River Tea", gone="Harbour Tea"),
    Change("contact", merchant(contact="0800 7"), says="0800 7"),
    Change("verified", merchant(is_verified=False), gone="Verified shop"),
    Change("logo", merchant(logo="a1b2"), says="a1b2"),
    Change("account off", account(enabled=False), gone=WALLET),
    Change("account on", account(enabled=True), says=WALLET),
    Change("rule", rule, gone=WALLET),
    Change("rule changed", lambda it: RolloutRule.objects.update(denied_buyers=[]), says=WALLET),
    Change("rule again", lambda it: RolloutRule.objects.update(share=0), gone=WALLET),
    Change("rule gone", lambda it: RolloutRule.objects.all().delete(), says=WALLET),
    Change("freeze", merchant(is_frozen=True), says="Payments are paused", gone=WALLET),
    Change("thaw", merchant(is_frozen=False), says=WALLET, gone="Payments are paused"),
    Change("words", lambda it: requests.change_message(it.pk, "For the picnic", actor="buyer"), says="For the picnic"),
    Change("parts", lambda it: requests.allow_parts(it.pk, Split(3), actor="buyer"), says="Still needed"),
    Change("all", lambda it: requests.allow_parts(it.pk, None, actor="buyer"), says="Lin is asking you to pay"),
    Change("buyer", lambda it: Order.objects.update(buyer_name="Ling"), says="Ling is asking you to pay"),
    Change("picture", show, says="/pictures/"),
    Change("picture gone", hide, gone="/pictures/"),
    Change("hold", lambda it: shop.hold(it, name="Mei"), says="Mei is paying", gone=WALLET),
    Change("hold over", end_hold, says=WALLET, gone="Mei is paying"),
]
ENDS = [
    Change("paid", pay, says="This is paid", gone=WALLET),
    Change("cancelled", lambda it: cancel_request(it.pk, actor="buyer"), says="cancelled the request", gone=WALLET),
]


def elsewhere(change: Callable[[PaymentRequest], object], payment_request: PaymentRequest) -> None:
    """Make a change as another process would: on a connection of its own, telling this one nothing."""

    def alone() -> None:
        try:
            change(PaymentRequest.objects.get(pk=payment_request.pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(alone).result()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.what)
def test_whatever_is_changed_shows_in_the_very_next_answer(end: Change, client: Client) -> None:
    payment_request = shop.make_request()
    address = f"/p/{payment_request.token}/"
    for change in [*CHANGES, end]:
        before = [source(client, address) for _twice in range(2)][1]  # the second is drawn from what is kept
        elsewhere(change.change, payment_request)
        after = source(client, address)
        assert change.says in after, change.what
        assert not change.gone or (change.gone in before and change.gone not in after), change.what


@pytest.mark.django_db(transaction=True)
def test_the_language_that_was_chosen_shows_in_the_very_next_answer(client: Client) -> None:
    address = f"/p/{shop.make_request().token}/"
    assert "Report this request" in source(client, address)
    client.post("/lang/", {"language": "es", "next": address})
    assert "Report this request" not in source(client, address)


def source(client: Client, address: str) -> str:
    """The page as it can be read, and the addresses in it."""
    answer = client.get(address)
    return words(answer) + answer.content.decode().replace("<bdi>", "").replace("</bdi>", "")
