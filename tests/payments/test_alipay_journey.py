"""Alipay from the tap to the books: whatever the wallet or an attacker does, what is paid is what Alipay took."""

from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import httpx
import pytest

from orders.errors import Refused
from payments import checkout, inbox, ledger, lifecycle, reconcile, refunds
from payments.models import Payment, PaymentRequest, ProviderAccount, ProviderEvent, Refund
from payments.offers import Surface
from payments.providers import transport
from payments.rules import Payer
from tests import shop
from tests.emulators import alipay as emulators
from tests.emulators.base import Emulator, Request, Response, route, running
from tests.payments.providers.alipay_shop import genuine, split_anew

pytestmark = pytest.mark.django_db
DESKTOP = Surface()
MEI = Payer(name="Mei", visitor="Mei")


class Postbox(Emulator):
    """Keeps what Alipay sends, so that a test delivers it when it likes."""

    name, brand = "postbox", "Postbox"

    def __init__(self) -> None:
        super().__init__()
        self.letters: list[bytes] = []

    @route("POST", "/notify/")
    def receive(self, request: Request) -> Response:
        self.letters.append(request.body)
        return Response(200, b"success")


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with running(postbox := Postbox()):
        yield postbox


@pytest.fixture
def wallet(postbox: Postbox) -> Iterator[emulators.Alipay]:
    with running(wallet := emulators.Alipay(notify_url=f"{postbox.url}/notify/")):
        yield wallet


@pytest.fixture
def account(wallet: emulators.Alipay) -> ProviderAccount:
    account = ProviderAccount(merchant=shop.make_merchant(), provider="alipay", base_url=wallet.url)
    account.config = wallet.account()
    account.save()
    return account


@pytest.fixture
def payment(account: ProviderAccount) -> Payment:
    """Mei's attempt at 90.00, opened at Alipay."""
    request = shop.make_request(shop.make_order(account.merchant))
    return checkout.begin(request, method="alipay", payer=MEI, surface=DESKTOP)


def decide(payment: Payment, choice: str = "approve") -> None:
    cashier = payment.next_step["code"]
    httpx.get(cashier, trust_env=False)
    httpx.post(cashier, data={"choice": choice}, trust_env=False)


def deliver(account: ProviderAccount, *letters: bytes) -> list[int]:
    """Hand notifications to the inbox and let it work; the answers' statuses."""
    statuses = [inbox.receive("alipay", account.public_id, {}, letter).status for letter in letters]
    inbox.apply()
    return statuses


def books(payment: Payment) -> tuple[str, str, int]:
    """How the request and the payment stand, and what was captured; the ledger is clean."""
    assert ledger.check() == []
    payment.refresh_from_db()
    request = PaymentRequest.objects.get(pk=payment.request_id)
    return request.status, payment.status, payment.amount_captured


def test_scanned_paid_notified_confirmed(
    wallet: emulators.Alipay, postbox: Postbox, account: ProviderAccount, payment: Payment
) -> None:
    decide(payment)
    wallet.notifier.settle()
    assert deliver(account, *postbox.letters) == [200]
    assert books(payment) == ("paid", "succeeded", 9000)


def test_the_ambiguity_attack_moves_nothing(
    wallet: emulators.Alipay, account: ProviderAccount, payment: Payment
) -> None:
    subject = "gift&total_amount=90.00&trade_no=1&trade_status=TRADE_SUCCESS&z="
    honest = genuine(wallet, out_trade_no=payment.reference, subject=subject)
    wallet.calls.clear()

    assert deliver(account, urlencode(split_anew(honest, "z")).encode()) == [400]
    account.refresh_from_db()
    assert account.refused_notifications == 1
    assert not ProviderEvent.objects.exists()
    assert wallet.calls == []
    assert books(payment) == ("open", "pending", 0)


def test_a_genuine_word_of_a_payment_that_alipay_does_not_have_moves_nothing(
    wallet: emulators.Alipay, account: ProviderAccount, payment: Payment
) -> None:
    word = genuine(wallet, out_trade_no=payment.reference, total_amount="90.00")
    assert deliver(account, urlencode(word).encode()) == [200]
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
    wallet: emulators.Alipay,
    postbox: Postbox,
    account: ProviderAccount,
    payment: Payment,
    move_time: Callable[[float], None],
    fault: str,
) -> None:
    only = "trade_status_sync" if fault == "wrong_key" else ""
    wallet.faults.set(fault, seconds=100_000, only=only)
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
        assert wallet.book.trades[payment.reference].refunded == 8999
    else:
        assert books(payment) == ("paid", "succeeded", 9000)
        assert not Refund.objects.exists()


@pytest.mark.parametrize("fault", ["hang_after_commit", "error_after_commit"])
def test_a_start_without_an_answer_holds_nothing_and_is_never_forgotten(
    wallet: emulators.Alipay,
    account: ProviderAccount,
    monkeypatch: pytest.MonkeyPatch,
    move_time: Callable[[float], None],
    fault: str,
) -> None:
    monkeypatch.setattr(transport, "_client", lambda process: httpx.Client(timeout=0.3))
    wallet.faults.set(fault, seconds=1)
    request = shop.make_request(shop.make_order(account.merchant))
    with pytest.raises(Refused):
        checkout.begin(request, method="alipay", payer=MEI, surface=DESKTOP)
    payment = Payment.objects.get()
    assert books(payment) == ("open", "created", 0)
    assert payment.held_until is None

    trade = wallet.book.trades[payment.reference]  # it took effect after all, and somebody pays it
    wallet.book.open(trade)
    wallet.book.pay(trade, trade.asked)
    move_time(60)
    reconcile.ask()
    assert books(payment) == ("paid", "succeeded", 9000)


@pytest.mark.parametrize("fault", ["hang_after_commit", "error_after_commit"])
def test_a_refund_without_an_answer_is_sent_again_and_counts_once(
    wallet: emulators.Alipay,
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
    assert wallet.book.trades[payment.reference].refunded == 1000
    assert books(payment) == ("paid", "succeeded", 9000)


def test_refund_notifications_pay_nothing_again_and_undo_no_refund(
    wallet: emulators.Alipay, postbox: Postbox, account: ProviderAccount, payment: Payment
) -> None:
    decide(payment)
    wallet.notifier.settle()
    deliver(account, *postbox.letters)
    refunds.refund_payment(payment.pk, actor="merchant")
    refunds.send()
    wallet.notifier.settle()
    assert len(postbox.letters) == 2
    assert deliver(account, *reversed(postbox.letters), *postbox.letters) == [200] * 4
    assert books(payment) == ("paid", "succeeded", 9000)
    assert [refund.status for refund in Refund.objects.all()] == ["succeeded"]


def test_a_payment_after_the_time_is_over_goes_back(
    wallet: emulators.Alipay, account: ProviderAccount, payment: Payment, move_time: Callable[[float], None]
) -> None:
    """The code was open when the request ended: Alipay cannot close what nobody has scanned (A7)."""
    lifecycle.cancel_request(payment.request_id, actor="buyer")
    move_time(60)
    reconcile.ask()
    decide(payment)
    for _question in range(3):
        move_time(600)
        reconcile.ask()
        refunds.send()
    assert books(payment) == ("cancelled", "succeeded", 9000)
    assert wallet.book.trades[payment.reference].refunded == 9000
