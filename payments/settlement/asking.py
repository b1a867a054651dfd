"""Asking a friend: opens the request, or shares the open one, within its limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, text_filter
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from friendpay.kit.writes import Writes
from orders.models import Adjustment, Order, OrderLine
from orders.services import LineDraft
from payments.funnel import steps
from payments.models import PaymentRequest
from payments.offers import standing, trust, weighing
from payments.offers.rollout import Case, Objection
from payments.offers.trust import Subject
from payments.offers.weighing import Offer, Surface
from payments.settlement import chip_in, lifecycle, requests, rules
from payments.settlement.chip_in import Split
from payments.settlement.locks import new_request

LIMIT = "ask_limit_reached"


def ask(order: Order, surface: Surface, network: str = "") -> PaymentRequest:
    """Open a request to share, or share the one that is open; asking twice asks once. Refused where asking a friend is
    not offered, and beyond what this buyer, this network or this shop may ask for.
    """
    tapped = clock.now()
    gate = Gate(order, _goods(order), surface, network, by_hand=True)
    open_already = PaymentRequest.objects.filter(
        order=order, status=PaymentRequest.Status.OPEN, shared_at__isnull=False
    )
    if open_already.exists():
        weighing.check_friend(Case.of(order), surface)
        request = lifecycle.open_request(order.pk, actor="buyer", shared=True)
    else:
        request = gate.let(tapped, lambda more: lifecycle.open_request(order.pk, actor="buyer", shared=True, more=more))
    steps.record(steps.Kind.HELP_TAPPED, request, surface=surface.place, at=tapped)
    steps.record(steps.Kind.REQUEST_CREATED, request, surface=surface.place, at=request.shared_at)
    return request


def ask_by_shop(  # noqa: PLR0913  # a request as the shop tells it, each thing by its name
    order: Order,
    surface: Surface,
    now: datetime,
    *,
    message: str,
    expires_in: timedelta | None,
    split: Split | None,
    metadata: dict[str, str] | None,
) -> PaymentRequest:
    """The same by a call of the shop's; refused as well where a request of the order is open already."""
    request = Gate(order, _goods(order), surface).let(
        now,
        lambda more: lifecycle.open_request(
            order.pk,
            actor="merchant",
            shared=True,
            message=message,
            expires_in=expires_in,
            split=split,
            reuse=False,
            more=more | {"metadata": metadata or {}},
        ),
    )
    steps.record(steps.Kind.REQUEST_CREATED, request, surface=surface.place)
    return request


@transaction.atomic
def change_order(
    order: Order, lines: list[LineDraft], adjustments: Sequence[Adjustment] = (), amount: int | None = None
) -> Order:
    """Another price (`requests.change_order`). To ask friends for more is to ask: where the request that they have
    grows by it, the new sum has to fit the limits of trust, or nothing changes.
    """
    shared = PaymentRequest.objects.filter(order=order, status=PaymentRequest.Status.OPEN, shared_at__isnull=False)
    gate = Gate(order, (), Surface())
    if order.live and shared.exists():  # locked before the order is, as by whoever asks
        whose = [Subject.BUYER] if order.merchant.is_verified else [Subject.BUYER, Subject.SHOP]
        standing.lock(order.merchant_id, order.buyer_id, "", whose)
    before = order.amount
    changed = requests.change_order(order.pk, lines, adjustments, amount)
    if changed.amount > before and shared.exists():
        gate.check_sums(clock.now())
    return changed


def why_not(case: Case, surface: Surface, now: datetime, considered: list[Offer]) -> Objection | None:
    """What keeps the page from offering to ask a friend here and now: the shop's rules, the limits of trust, and that
    none of the wallets that were `considered` takes the order; None when nothing does. Nothing is counted.
    """
    known = standing.read(case.merchant_id, case.buyer, now, live=case.live)
    ruled = weighing.why_not_friend(case, surface, stopped=known.stopped, now=now)
    limited = ruled or trust.objection(trust.measures(known.standing, known.shop.trust, case.total))
    return limited or weighing.no_wallet(case, considered, now)


Made = TypeVar("Made")


@dataclass(frozen=True)
class Gate:
    """What an ask has to pass, whoever makes it: that asking for these goods (name and category) is offered, and that
    it fits the limits of trust. Refused otherwise, and nothing is written.
    """

    order: Order
    goods: tuple[tuple[str, str], ...]
    surface: Surface
    network: str = ""  # where a buyer asks from, by hand
    by_hand: bool = False

    def check(self, now: datetime) -> tuple[dict[str, Any], list[Subject]]:
        """What is kept of it with the request; and whose asks have to come one after another, for a limit is near."""
        order = self.order
        known = standing.read(order.merchant_id, order.buyer_id, now, live=order.live, network=self.network)
        case = Case.known(order, self.goods, known.shop.rules)
        weighing.check_friend(case, self.surface, stopped=known.stopped, now=now)
        measured = trust.measures(known.standing, known.shop.trust, order.total)
        if why := trust.objection(measured):
            raise self._refused(why)
        return {"network": self.network, "hint": trust.hint(known.standing, order.total)}, trust.alone(measured)

    def check_sums(self, now: datetime) -> None:
        """That what is asked for already, with what this transaction has changed, fits."""
        order = self.order
        known = standing.read(order.merchant_id, order.buyer_id, now, live=order.live)
        asked = trust.measures(known.standing, known.shop.trust, Money(0, order.currency))
        if why := trust.objection([it for it in asked if it.currency]):
            raise self._refused(why)

    def alone(self, now: datetime, subjects: list[Subject]) -> dict[str, Any]:
        """The same once no other ask of theirs is under way, within the transaction that writes it."""
        standing.lock(self.order.merchant_id, self.order.buyer_id, self.network, subjects)
        return self.check(now)[0]

    def let(self, now: datetime, made: Callable[[dict[str, Any]], Made]) -> Made:
        """What is made once it has passed; where a limit is near, alone."""
        more, subjects = self.check(now)
        if not subjects:
            return made(more)
        with transaction.atomic():
            return made(self.alone(now, subjects))

    def _refused(self, why: Objection) -> Refused:
        """A shop is told which limit; the public how to go on."""
        if not self.by_hand:
            words = _("Wait, or cancel requests that are open. Our support can allow more.")
            return Refused("ask_limit_reached", f"{why.text} {words}")
        if why.code.endswith(("hour_count", "day_count")):
            return Refused("asked_often", _("You have asked often in the last hour. Please wait a while."), status=429)
        words = _("No more can be asked of friends here just now. Please wait a while, or choose another way to pay.")
        return Refused("ask_limit_reached", words, status=429)


def _goods(order: Order) -> tuple[tuple[str, str], ...]:
    return tuple(order.lines.values_list("name", "category"))


class WithOrder:
    """Asking a friend together with placing the order: `services.place_order(..., also=WithOrder(...))` writes both by
    one statement, or, where either is refused, neither. The fields it refuses are those of `payment_request`.
    """

    def __init__(
        self,
        surface: Surface,
        *,
        message: str,
        expires_in: timedelta | None,
        split: Split | None,
        metadata: dict[str, str],
    ) -> None:
        self._metadata = metadata
        self._surface, self._message, self._expires_in, self._split = surface, message, expires_in, split
        self._request: PaymentRequest | None = None

    def __call__(self, order: Order, lines: list[OrderLine], now: datetime, writes: Writes) -> None:
        """Nobody else knows the order yet, so there is nothing to lock."""
        try:
            message = text_filter.check(self._message)
            rules.check_order_open(order, now)
            gate = Gate(order, tuple((line.name, line.category) for line in lines), self._surface)
            more, subjects = gate.check(now)
            if subjects:
                writes.before(lambda: self._check_alone(gate, now, subjects))
            most, least, shares = chip_in.agreed(order, self._split)
            self._request = new_request(
                order,
                now,
                "merchant",
                self._expires_in,
                writes=writes,
                message=message,
                metadata=self._metadata,
                split_max_payers=most,
                split_min_amount=least,
                shares=shares,
                shared_at=now,
                **more,
            )
            writes.insert(steps.first(steps.Kind.REQUEST_CREATED, self._request, surface=self._surface.place, at=now))
        except Refused as refused:
            raise _within(refused) from None

    def _check_alone(self, gate: Gate, now: datetime, subjects: list[Subject]) -> None:
        try:
            gate.alone(now, subjects)
        except Refused as refused:
            raise _within(refused) from None

    def made(self) -> PaymentRequest:
        """The request, once the order is placed."""
        assert self._request
        return self._request


def _within(refused: Refused) -> Refused:
    """Refused of the request that goes with an order."""
    if refused.field or refused.code == LIMIT:
        refused.field = ".".join(filter(None, ("payment_request", refused.field)))
    return refused
