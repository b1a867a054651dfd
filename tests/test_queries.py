"""How often each operation asks the database at most. Noise cannot bend these numbers: BUDGET is the table of them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from friendpay.kit import clock
from friendpay.kit.money import Money
from payments.settlement import inbox, lifecycle
from payments.wallets import registry
from sandbox import bank
from sandbox.models import Charge, Notice
from tests import shop
from tests.caller import ORDER, Caller
from tests.payments.settlement.test_checkout import begin
from tests.payments.settlement.test_inbox import headers
from tests.trips import Trips, counted

pytestmark = pytest.mark.django_db

BUDGET = {
    "open the friend's page": 1,
    "open the friend's page, after the shop's settings have changed": 2,
    "ask where a request stands": 1,
    "open the buyer's page, before anybody is asked": 2,
    "open the buyer's page, while a friend is waited for": 1,
    "open the buyer's page, paid": 1,
    "open the buyer's own pay page": 2,
    "open the payer's receipt": 1,
    "open the buyer's receipt": 1,
    "create an order": 4,
    "create an order and its request": 5,
    "create an order, with an Idempotency-Key": 8,
    "create a request": 11,
    "begin to pay": 9,
    "settle": 4,
    "be told of money, store it and settle": 9,
    "take a charge, as the sandbox wallet": 4,
}
"""Operation -> round trips: statements, and two each for a transaction (BEGIN, COMMIT) and a savepoint. What is done
after the commit counts, what a wallet's server asks does not. Within a transaction, as a test is, a new order is
written in a savepoint, and so are the steps of a tap; outside there is none, and the first two "create" are 2 and 3
trips. Beginning to pay is 6 there, taking a charge 3, and being told of money 5: BEGIN goes with what is asked first.
"""

Budget = Callable[[str], AbstractContextManager[Trips]]


@pytest.fixture
def budget(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Budget:
    """`with budget("settle"):` so many trips, and no more."""

    @contextmanager
    def within(operation: str) -> Iterator[Trips]:
        with counted(django_capture_on_commit_callbacks) as trips:
            yield trips
        assert trips.count <= BUDGET[operation], f"{operation}: {trips}"

    return within


def test_open_the_friends_page(budget: Budget, client: Client) -> None:
    page = f"/p/{shop.make_request().token}/"
    with budget("open the friend's page, after the shop's settings have changed"):
        assert client.get(page).status_code == 200
    with budget("open the friend's page"):
        assert client.get(page).status_code == 200


def test_ask_where_a_request_stands(budget: Budget, client: Client) -> None:
    payment_request = shop.make_request()
    shop.hold(payment_request)
    with budget("ask where a request stands"):
        assert client.get(f"/p/{payment_request.token}/status.json").json()["holders"]


def test_open_the_buyers_pages(budget: Budget, client: Client) -> None:
    order = shop.make_order()
    page = f"/checkout/{order.token}/"
    with budget("open the buyer's page, before anybody is asked"):
        assert client.get(page).status_code == 200
    with budget("open the buyer's own pay page"):
        assert client.get(f"{page}pay/").status_code == 200
    payment = shop.hold(shop.make_request(order))
    for _poll in ("first", "again, after news"):
        with budget("open the buyer's page, while a friend is waited for"):
            assert client.get(page).status_code == 200
    shop.succeed(payment)
    with budget("open the buyer's page, paid"):
        assert client.get(page).status_code == 200
    with budget("open the buyer's receipt"):
        assert client.get(f"{page}receipt/").status_code == 200
    with budget("open the payer's receipt"):
        assert client.get(f"/r/{payment.token}/").status_code == 200


def test_create_an_order(budget: Budget) -> None:
    caller = Caller()
    with budget("create an order"):
        assert caller.post("/orders", ORDER).status == 201


def test_create_an_order_with_a_key(budget: Budget) -> None:
    caller = Caller()
    with budget("create an order, with an Idempotency-Key"):
        assert caller.post("/orders", ORDER, key="once").status == 201


def test_create_an_order_and_its_request(budget: Budget) -> None:
    caller = Caller()
    caller.order(payment_request={})  # from now on this process knows the shop's settings
    with budget("create an order and its request") as trips:
        assert caller.post("/orders", {**ORDER, "reference": "A-2", "payment_request": {}}).status == 201
    assert len(trips.statements) == 3


def test_create_a_request(budget: Budget) -> None:
    caller = Caller()
    caller.order(payment_request={})  # from now on this process knows the shop's settings
    order = caller.order()
    with budget("create a request"):
        assert caller.post(f"/orders/{order['id']}/payment-requests", {}).status == 201


def test_begin_to_pay(budget: Budget, monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    payment_request, wallet = shop.make_request(), registry.get("sandbox")
    start = wallet.start
    client.get(f"/p/{payment_request.token}/")
    with budget("begin to pay") as trips:

        def at_the_wallet(*args: Any) -> Any:
            with trips.elsewhere():
                return start(*args)

        monkeypatch.setattr(wallet, "start", at_the_wallet)
        answer = client.post(f"/p/{payment_request.token}/pay/", {"method": "sandbox", "name": "Mei"})
        assert answer.status_code == 303


def test_settle(budget: Budget) -> None:
    payment = shop.hold(shop.make_request())
    with budget("settle"):
        paid = lifecycle.settle(payment.pk, provider_ref="txn", amount=Money(payment.amount, payment.currency))
    assert paid.amount_applied == payment.amount


def test_be_told_of_money(budget: Budget) -> None:
    request = shop.make_request()
    begin(request)
    bank.approve(Charge.objects.get().ref)
    account, body = shop.account_of(request), Notice.objects.get().body.encode()
    signed = headers(account.config["secret"], body)
    with budget("be told of money, store it and settle"):
        assert inbox.receive("sandbox", account.public_id, signed, body).status == 204
    request.refresh_from_db()
    assert request.status == "paid"


def test_take_a_charge(budget: Budget, db: None) -> None:
    new = bank.NewCharge(
        account="acc_shop",
        secret="secret-of-the-shop",
        reference="ref-1",
        amount=9000,
        currency="CNY",
        exponent=2,
        subject="Order 1001",
        deadline=clock.now() + timedelta(minutes=5),
        notify_url="http://127.0.0.1:9/notify/",
        return_url="http://127.0.0.1:9/r/",
    )
    with budget("take a charge, as the sandbox wallet"):
        bank.open_charge(new)
