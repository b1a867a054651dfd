"""A small shop to test with: plain functions, no magic."""

from datetime import timedelta
from typing import Any

from friendpay.kit.money import Money
from orders.models import Merchant, Order
from orders.services import LineDraft, place_order
from payments.models import Payment, PaymentRequest, ProviderAccount
from payments.offers.weighing import Surface
from payments.settlement import checkout, lifecycle, taps
from payments.settlement.rules import Attempt, Payer, Split

HOLD = timedelta(minutes=5)


def make_merchant(name: str = "Harbour Tea", *, is_verified: bool = True) -> Merchant:
    merchant = Merchant.objects.create(name=name, contact="help@harbourtea.example", is_verified=is_verified)
    account = ProviderAccount(merchant=merchant, provider="sandbox", base_url="http://127.0.0.1:8000")
    account.config = {"secret": "a secret of the sandbox wallet, for tests"}
    account.save()
    return merchant


def make_order(  # noqa: PLR0913  # an order's facts, each by its name
    merchant: Merchant | None = None,
    *,
    amount: int = 9000,
    currency: str = "CNY",
    reference: str = "",
    buyer_id: str = "lin",
    live: bool = False,
) -> Order:
    merchant = merchant or make_merchant()
    return place_order(
        merchant,
        reference=reference or f"A-{Order.objects.count() + 1001}",
        currency=currency,
        lines=[LineDraft("Spring oolong, 100 g", 1, amount)],
        buyer_name="Lin",
        buyer_id=buyer_id,
        live=live,
    )


def make_request(
    order: Order | None = None,
    *,
    amount: int = 9000,
    currency: str = "CNY",
    split: Split | None = None,
    expires_in: timedelta | None = None,
) -> PaymentRequest:
    order = order or make_order(amount=amount, currency=currency)
    return lifecycle.open_request(order.pk, actor="merchant", shared=True, split=split, expires_in=expires_in)


def account_of(request: PaymentRequest) -> ProviderAccount:
    return ProviderAccount.objects.get(merchant=request.merchant)


def hold(request: PaymentRequest, amount: int | None = None, *, name: str = "Mei", lasts: timedelta = HOLD) -> Payment:
    """A friend begins to pay, as far as we know; no wallet is involved."""
    amount = request.amount if amount is None else amount
    attempt = Attempt(account_of(request), "sandbox", "redirect", amount, lasts)
    payment = lifecycle.hold(request.pk, attempt, Payer(name=name, visitor=name))
    return lifecycle.start_payment(payment, next_step={"rail": "redirect", "url": "/"}, session="")


def begin(  # noqa: PLR0913  # what a tap says
    request: PaymentRequest, *, method: str, payer: Payer, surface: Surface, **how: Any
) -> Payment:
    """A payer taps on "Pay"."""
    tap = taps.read(request.token, payer.visitor)
    return checkout.begin(tap, tap.offer(method, surface), payer=payer, **how)


def hold_share(request: PaymentRequest, share: int, *, name: str) -> Payment:
    """The same for one of the shares that are named, counted from 0."""
    amount = request.named[share].amount
    attempt = Attempt(account_of(request), "sandbox", "redirect", amount, HOLD, share=share)
    payment = lifecycle.hold(request.pk, attempt, Payer(name=name, visitor=name))
    return lifecycle.start_payment(payment, next_step={"rail": "redirect", "url": "/"}, session="")


def attempts(request: PaymentRequest, count: int) -> list[Payment]:
    """So many attempts on one request, each having lost its hold to the next, as after take-overs or lapses."""
    payments = []
    for number in range(count):
        payments.append(hold(request, name=f"Friend {number}"))
        lifecycle.let_go(payments[-1].pk)
    return payments


def succeed(payment: Payment, *, ref: str = "", amount: int | None = None, currency: str = "") -> Payment:
    """The provider says that it holds the money."""
    money = Money(payment.amount if amount is None else amount, currency or payment.currency)
    return lifecycle.settle(payment.pk, provider_ref=ref or f"txn-{payment.pk}", amount=money)
