"""Stripe from the tap to the books: whatever the wallet or an attacker does, what is paid is what Stripe took."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest

from friendpay import clock
from orders.errors import Refused
from payments import checkout, inbox, ledger, lifecycle, reconcile, refunds
from payments.models import Payment, PaymentRequest, ProviderAccount, ProviderEvent, Refund
from payments.offers import Surface
from payments.providers import transport
from payments.rules import Payer
from tests import shop
from tests.emulators import stripe as emulators
from tests.emulators.base import Emulator, Request, Response, route, running
from tests.emulators.stripe_book import REFUND_FAILS, REFUND_PENDS
from tests.payments.providers.stripe_shop import signature

pytestmark = pytest.mark.django_db
MEI = Payer(name="Mei", visitor="Mei")

Letter = tuple[str, bytes]


class Postbox(Emulator):
    """Keeps what Stripe sends, so that a test delivers it when it likes."""

    name, brand = "postbox", "Postbox"

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[Letter] = []

    @route("POST", "/notify/")
    def receive(self, request: Request) -> Response:
        self.letters.append((request.headers["stripe-signature"], request.body))
        return Response(200)


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with running(postbox := Postbox()):
        yield postbox


@pytest.fixture
def wallet(postbox: Postbox) -> Iterator[emulators.Stripe]:
    with running(wallet := emulators.Stripe(notify_url=f"{postbox.url}/notify/")):
        yield wallet


@pytest.fixture
def account(wallet: emulators.Stripe) -> ProviderAccount:
    account = ProviderAccount(merchant=shop.make_merchant(), provider="stripe", base_url=wallet.url)
    account.config = wallet.account()
    account.save()
    return account


@pytest.fixture
def payment(account: ProviderAccount) -> Payment:
    """Mei's attempt at 90.00, opened at Stripe."""
    return begin(account)


def begin(account: ProviderAccount) -> Payment:
    request = shop.make_request(shop.make_order(account.merchant))
    return checkout.begin(request, method="card", payer=MEI, surface=Surface())


def decide(payment: Payment, choice: str = "approve", card: str = "4242424242424242") -> None:
    httpx.post(payment.next_step["url"], data={"choice": choice, "card": card}, trust_env=False)


def deliver(account: ProviderAccount, *letters: Letter) -> list[int]:
    """Hand events to the inbox and let it work; the answers' statuses."""
    headers = [{"stripe-signature": header} for header, _body in letters]
    bodies = [body for _header, body in letters]
    statuses = [
        inbox.receive("stripe", account.public_id, header, body).status
        for header, body in zip(headers, bodies, strict=True)
    ]
    inbox.apply()
    return statuses


def books(payment: Payment) -> tuple[str, str, int]:
    """How the request and the payment stand, and what was captured; the ledger is clean."""
    assert ledger.check() == []
    payment.refresh_from_db()
    request = PaymentRequest.objects.get(pk=payment.request_id)
    return request.status, payment.status, payment.amount_captured


def test_paid_and_told(wallet: emulators.Stripe, postbox: Postbox, account: ProviderAccount, payment: Payment) -> None:
    wallet.calls.clear()
    decide(payment)
    wallet.notifier.settle()
    assert deliver(account, *postbox.letters) == [200]
    assert books(payment) == ("paid", "succeeded", 9000)
    assert wallet.calls == []  # a signed event of Stripe's is believed without asking


def test_s3_two_events_of_one_payment_in_any_order_count_once(
    wallet: emulators.Stripe, postbox: Postbox, account: ProviderAccount, payment: Payment
) -> None:
    decide(payment)
    wallet.notifier.settle()
    [(_header, body)] = postbox.letters
    other = json.dumps(json.loads(body) | {"id": "evt_other", "type": "checkout.session.async_payment_succeeded"})
    unpaid = json.loads(body) | {"id": "evt_unpaid"}
    unpaid["data"]["object"] |= {"payment_status": "unpaid"}
    letters = [(signature(it), it) for it in (body, other.encode(), json.dumps(unpaid).encode(), body)]
    assert deliver(account, *letters) == [200] * 4
    assert books(payment) == ("paid", "succeeded", 9000)
    assert ProviderEvent.objects.count() == 3
    assert not Refund.objects.exists()


@pytest.mark.parametrize("reference", ["someone-elses", ""])
def test_an_event_that_is_none_of_ours_moves_nothing(
    wallet: emulators.Stripe, postbox: Postbox, account: ProviderAccount, payment: Payment, reference: str
) -> None:
    decide(payment)
    wallet.notifier.settle()
    [(_header, body)] = postbox.letters
    strange = body.replace(payment.reference.encode(), reference.encode())
    assert deliver(account, (signature(strange), strange)) == [200]
    event = ProviderEvent.objects.get()
    assert (event.orphaned_at is not None) == bool(reference)
    assert books(payment) == ("open", "pending", 0)


def test_forged_old_and_foreign_events_leave_nothing_but_a_count(
    wallet: emulators.Stripe, postbox: Postbox, account: ProviderAccount, payment: Payment
) -> None:
    decide(payment)
    wallet.notifier.settle()
    [(header, body)] = postbox.letters
    wallet.calls.clear()
    hours_ago = int((clock.now() - timedelta(hours=1)).timestamp())
    live = body.replace(b'"livemode": false', b'"livemode": true')
    letters = [
        ("", body),
        (header, body + b" "),
        (signature(body, "whsec_of_a_stranger"), body),
        (signature(body, stamp=hours_ago), body),
        (signature(body, stamp=hours_ago + 7200), body),
        (signature(live), live),
        (signature(body[:-9]), body[:-9]),
        (signature(b"\xff"), b"\xff"),
    ]
    assert deliver(account, *letters) == [401, 401, 401, 400, 400, 400, 400, 400]
    account.refresh_from_db()
    assert account.refused_notifications == len(letters)
    assert not ProviderEvent.objects.exists()
    assert wallet.calls == []
    assert books(payment) == ("open", "pending", 0)


@pytest.mark.parametrize(
    "fault",
    [
        "duplicate_notification",
        "reorder_notification",
        "delay_notification",
        "drop_notification",
        "wrong_key",
        "clock_skew",
        "wrong_amount",
    ],
)
def test_every_fault_ends_right(
    wallet: emulators.Stripe,
    postbox: Postbox,
    account: ProviderAccount,
    payment: Payment,
    move_time: Callable[[float], None],
    fault: str,
) -> None:
    wallet.faults.set(fault, seconds=100_000)
    decide(payment)
    wallet.notifier.settle()
    deliver(account, *postbox.letters)
    move_time(60)
    reconcile.ask()
    refunds.send()
    reconcile.ask()
    if fault == "wrong_amount":
        assert books(payment) == ("open", "succeeded", 8999)
        assert [(refund.amount, refund.status) for refund in Refund.objects.all()] == [(8999, "succeeded")]
        assert [it["amount"] for it in wallet.book.all("refund")] == [8999]
    else:
        assert books(payment) == ("paid", "succeeded", 9000)
        assert not Refund.objects.exists()


@pytest.mark.parametrize("fault", ["hang_after_commit", "error_after_commit"])
def test_a_start_without_an_answer_holds_nothing_and_is_never_forgotten(
    wallet: emulators.Stripe,
    account: ProviderAccount,
    monkeypatch: pytest.MonkeyPatch,
    move_time: Callable[[float], None],
    fault: str,
) -> None:
    monkeypatch.setattr(transport, "_client", lambda process: httpx.Client(timeout=0.3))
    wallet.faults.set(fault, seconds=1)
    with pytest.raises(Refused):
        begin(account)
    payment = Payment.objects.get()
    assert books(payment) == ("open", "created", 0)
    assert payment.held_until is None

    [session] = wallet.book.all("checkout.session")  # it took effect after all, and somebody pays it
    wallet.book.pay(session)
    move_time(60)
    reconcile.ask()
    assert books(payment) == ("paid", "succeeded", 9000)


@pytest.mark.parametrize("fault", ["hang_after_commit", "error_after_commit"])
def test_a_refund_without_an_answer_is_sent_again_and_counts_once(
    wallet: emulators.Stripe,
    postbox: Postbox,
    account: ProviderAccount,
    payment: Payment,
    monkeypatch: pytest.MonkeyPatch,
    move_time: Callable[[float], None],
    fault: str,
) -> None:
    decide(payment)
    wallet.notifier.settle()
    deliver(account, *postbox.letters)
    monkeypatch.setattr(transport, "_client", lambda process: httpx.Client(timeout=0.3))
    wallet.faults.set(fault, seconds=1)
    refund = refunds.refund_payment(payment.pk, 1000, actor="merchant")
    refunds.send()
    refund.refresh_from_db()
    assert refund.status == "requested"
    move_time(60)
    refunds.send()
    refund.refresh_from_db()
    assert refund.status == "succeeded"
    assert [it["amount"] for it in wallet.book.all("refund")] == [1000]
    assert books(payment) == ("paid", "succeeded", 9000)


@pytest.mark.parametrize(
    ("card", "begins", "ends"), [(REFUND_PENDS, "submitted", "succeeded"), (REFUND_FAILS, "succeeded", "failed")]
)
def test_s7_a_refund_that_waits_or_fails_after_all_ends_as_stripe_says(
    wallet: emulators.Stripe,
    postbox: Postbox,
    account: ProviderAccount,
    payment: Payment,
    card: str,
    begins: str,
    ends: str,
) -> None:
    """Its events come backwards, and each says what was true when it was made."""
    decide(payment, card=card)
    wallet.notifier.settle()
    deliver(account, *postbox.letters)
    refund = refunds.refund_payment(payment.pk, actor="merchant")
    refunds.send()
    refund.refresh_from_db()
    assert refund.status == begins
    wallet.notifier.settle()
    deliver(account, *reversed(postbox.letters))
    refund.refresh_from_db()
    assert refund.status == ends
    assert books(payment) == ("paid", "succeeded", 9000)


def test_s7_a_refund_that_waits_is_followed_without_any_event(
    wallet: emulators.Stripe, account: ProviderAccount, payment: Payment, move_time: Callable[[float], None]
) -> None:
    wallet.notify_url = ""
    decide(payment, card=REFUND_PENDS)
    move_time(60)
    reconcile.ask()
    refund = refunds.refund_payment(payment.pk, actor="merchant")
    refunds.send()
    move_time(60)
    refunds.send()
    refund.refresh_from_db()
    assert refund.status == "succeeded"


def test_s5_a_hold_that_ends_is_expired_at_stripe_and_what_was_paid_first_counts(
    wallet: emulators.Stripe, account: ProviderAccount, payment: Payment, move_time: Callable[[float], None]
) -> None:
    other = begin(account)
    decide(other)
    move_time(checkout.HOLD.total_seconds())
    reconcile.ask()
    assert wallet.book.things[payment.provider_session]["status"] == "expired"
    assert books(payment) == ("open", "cancelled", 0)
    assert books(other) == ("paid", "succeeded", 9000)


def test_money_that_comes_after_the_request_was_cancelled_goes_back(
    wallet: emulators.Stripe, account: ProviderAccount, payment: Payment, move_time: Callable[[float], None]
) -> None:
    decide(payment)
    lifecycle.cancel_request(payment.request_id, actor="buyer")
    for _question in range(3):
        move_time(60)
        reconcile.ask()
        refunds.send()
    assert books(payment) == ("cancelled", "succeeded", 9000)
    assert [it["amount"] for it in wallet.book.all("refund")] == [9000]
