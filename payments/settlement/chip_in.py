"""Several friends pay parts: how many of them, how small a part may be, and what the next one is asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from django.utils.translation import gettext_lazy as _

from friendpay.kit import amounts, limits, text_filter
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from orders.models import Order
from payments.models import PaymentRequest, ProviderAccount
from payments.models.request import Share as Share
from payments.wallets import registry


@dataclass(frozen=True)
class Split:
    """Several friends may pay parts: at most `max_payers`, each at least `min_amount` minor units; where that is not
    said, half of what each would give if all gave the same, so that crumbs leave no friend with nearly all of it.
    """

    max_payers: int
    min_amount: int | None = None
    shares: tuple[Share, ...] = ()  # who pays how much, where that is named; it says the rest

    @classmethod
    def among(cls, shares: Iterable[Share]) -> Self:
        """By name: each pays her share, whole and once, and all have to, or everything goes back."""
        named = tuple(shares)
        return cls(len(named), min((share.amount for share in named), default=0), named)


def named(order: Order, shares: tuple[Share, ...]) -> list[dict[str, Any]]:
    """Shares as a request keeps them, checked: they add up to the order's amount, to the minor unit, and no name is
    there twice.
    """
    names = [text_filter.line(share.name) for share in shares]
    for name in names:
        text_filter.check_name(name, field="split.shares")
    if not all(names) or len({name.casefold() for name in names}) < len(names):
        raise Refused("share_names", _("Give each share a name of its own."), field="split.shares", status=422)
    step = step_of_parts(order, order.amount)
    if any(share.amount < 1 or share.amount % step for share in shares):
        raise Refused("share_amount", _("Each share must be more than zero."), field="split.shares", status=422)
    if sum(share.amount for share in shares) != order.amount:
        raise Refused(
            "shares_do_not_add_up",
            _("The shares must add up to %(sum)s.") % {"sum": amounts.text(order.total)},
            field="split.shares",
            status=422,
        )
    return [{"name": name, "amount": share.amount} for name, share in zip(names, shares, strict=True)]


def agreed(order: Order, split: Split | None, *, given: int = 0) -> tuple[int | None, int | None, list[dict[str, Any]]]:
    """How many payers, how small a part, and the shares that are named, checked; (None, None, []) where one friend pays
    all. `given` is how many parts there are already. Parts must be able to add up.
    """
    if split is None:
        return None, None, []
    if not 2 <= split.max_payers <= limits.PAYERS_OF_A_REQUEST:
        raise Refused(
            "max_payers_out_of_range",
            _("Between 2 and 50 friends can pay together."),
            field="split.max_payers",
            status=422,
        )
    if split.shares:
        return split.max_payers, split.min_amount, named(order, split.shares)
    if split.min_amount is None:
        return split.max_payers, _smallest(order, split.max_payers - given), []
    if not 1 <= split.min_amount <= order.amount // 2:
        raise Refused(
            "min_amount_out_of_range",
            _("The smallest part must leave room for a second one."),
            field="split.min_amount",
            status=422,
        )
    return split.max_payers, split.min_amount, []


def at_price(request: PaymentRequest, amount: int) -> tuple[int | None, int | None]:
    """How many payers and how small a part at another price: it leaves room for a second one still, or, where nothing
    can be parted any more, one friend pays all.
    """
    if request.split_min_amount is None or amount < 2:
        return None, None
    return request.split_max_payers, min(request.split_min_amount, amount // 2)


def _smallest(order: Order, places: int) -> int:
    """Half of an equal share of what is missing, down to a step of the shop's wallets; no less than one of them takes,
    and little enough for two.
    """
    missing = order.amount - order.amount_paid
    accounts = list(ProviderAccount.objects.taking(order))
    takes = [
        method.smallest.get(order.currency, 1)
        for account in accounts
        for method in registry.get(account.provider).methods
        if not method.by_choice or method.name in account.granted
    ]
    step = step_among(Money(missing, order.currency), accounts)
    half = missing // (2 * max(1, places)) // step * step
    return max(1, min(missing // 2, max(half, min(takes, default=1))))


def step_of_parts(order: Order, missing: int) -> int:
    """What every part of what is missing is a multiple of, so that none leaves what another of the shop's wallets could
    not take.
    """
    return step_among(Money(missing, order.currency), ProviderAccount.objects.taking(order))


def taking(order: Order, accounts: Iterable[ProviderAccount]) -> list[ProviderAccount]:
    """Of all accounts of its shop, those that may take an order's money (`ProviderAccount.objects.taking`)."""
    known = (account for account in accounts if account.provider in registry.NAMES)
    return [account for account in known if account.enabled and account.live == order.live]


def step_among(missing: Money, accounts: Iterable[ProviderAccount]) -> int:
    """The same of these accounts. One between two steps of a wallet is for others, who count finer."""
    step = max((registry.step(account.provider, missing.currency) for account in accounts), default=1)
    return step if missing.minor % step == 0 else 1


def parts_given(request: PaymentRequest) -> int:
    """How many parts count already. A hold is no part yet: it forces nobody."""
    return request.payments.filter(amount_applied__gt=0).count()


def fair_share(request: PaymentRequest) -> int:
    """What the next friend may be asked for, so that all who can still join give about the same; the last one all.

    100.00 by three is 33.34, 33.33, 33.33: the earlier one gives the odd step. Never what `rules.check_amount` would
    refuse.
    """
    if request.split_max_payers is None or request.split_min_amount is None:
        return request.remaining
    begun = request.payments.filter(held_until__isnull=False).count()
    step = step_of_parts(request.order, request.amount - request.amount_paid)
    return share_of_next(request, joined=parts_given(request) + begun, step=step)


def fitting(request: PaymentRequest, *, given: int, step: int) -> list[int]:
    """Parts that one friend may well be offered, smallest first: a third of what is missing, a half, all of it. `given`
    is how many parts there are. Never what `rules.check_amount` would refuse.
    """
    missing, least = request.remaining, request.split_min_amount or 1
    if request.split_max_payers is None or missing <= 0:
        return []
    even = {even_share(missing, friends, step) for friends in (3, 2)} if request.split_max_payers - given > 1 else set()
    return sorted({part for part in even if least <= part <= missing - least} | {missing})


def share_of_next(request: PaymentRequest, *, joined: int, step: int) -> int:
    """The same where it is known how many gave or are paying, and what parts are multiples of."""
    missing, least = request.remaining, request.split_min_amount
    if request.split_max_payers is None or least is None:
        return missing
    still_to_come = max(1, request.split_max_payers - joined)
    share = max(even_share(missing, still_to_come, step), even_share(least, 1, step))
    return share if share <= missing - least else missing


def even_share(missing: int, friends: int, step: int) -> int:
    """What the first of so many friends gives if all give about the same: rounded up to a step, wherever it is said."""
    return -(-missing // (friends * step)) * step
