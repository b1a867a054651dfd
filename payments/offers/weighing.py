"""Which payment methods this order gets, where it is opened, and why not the others. Page, API and payment ask the same
function.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, limits
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from orders.models import Order
from payments.models import ProviderAccount, StoppedBuyer
from payments.offers import rollout, surfaces
from payments.offers.rollout import FRIEND, Case, Objection
from payments.offers.surfaces import Surface as Surface
from payments.wallets import registry
from payments.wallets.base import Method, Provider, ProviderError, Rail

LABELS: dict[str, "str | Promise"] = {name: _(label) for name, label in registry.labels().items()}
"""Every method of every wallet, in the order of the page."""

METHODS: dict[str, "str | Promise"] = {FRIEND: _("Ask a friend"), **LABELS}


@dataclass(frozen=True)
class Offer:
    """A method and how it can be carried out here; or, with a `reason`, why it is not offered (never shown to the
    public).
    """

    method: str
    rails: tuple[Rail, ...]  # the best first
    account: ProviderAccount
    least: int = 1  # the smallest amount it takes, in minor units
    reason: str = ""
    detail: str = ""  # the reason in words, where a rule of the shop's is behind it
    elsewhere: str = ""  # where this wallet works that does not here: "browser", "wallet" or "desktop"

    @property
    def rail(self) -> Rail | None:
        return self.rails[0] if self.rails else None

    @property
    def label(self) -> str:
        return label(self.method, self.account)

    @property
    def by_card(self) -> bool:
        return is_card(self.method, self.account)

    @property
    def at_shop(self) -> str:
        """The shop's name, where one pays on the shop's own page and it has given that no other name; else ""."""
        own = registry.get(self.provider).run_by_shop and not self.account.is_simulated and not _own_name(self.account)
        return self.account.merchant.name if own else ""

    @property
    def provider(self) -> str:
        return self.account.provider


def consider(order: Order, surface: Surface) -> list[Offer]:
    """Every method of every account of the order's merchant, each with its rail or the reason that withholds it."""
    return weigh(Case.of(order), surface)


def weigh(case: Case, surface: Surface) -> list[Offer]:
    """The same for an order that there may never be."""
    accounts = ProviderAccount.objects.filter(merchant_id=case.merchant_id).order_by("id")
    return weigh_known(case, surface, accounts, clock.now() if case.rules else None)


def weigh_known(case: Case, surface: Surface, accounts: Iterable[ProviderAccount], now: datetime | None) -> list[Offer]:
    """The same where the shop's accounts and the time (needed where it has rules) are known already. A wallet's own
    account comes before one that reaches it through another company, so that no page names a wallet twice. A wallet
    whose package is not installed any more is left out.
    """
    against = _rules(case, surface, now)
    offers = [
        _consider(case, surface, account, provider, method, against(method.name))
        for account in accounts
        if account.provider in registry.NAMES
        for provider in (registry.get(account.provider),)
        for method in provider.methods
        if not method.by_choice or method.name in account.granted
    ]
    place = list(LABELS)
    return sorted(offers, key=lambda it: (place.index(it.method), it.provider != it.method, it.account.pk))


def for_page(order: Order, surface: Surface) -> list[Offer]:
    """What the payment page shows: one offer a method, none that cannot finish here. What it shows is what works."""
    return shown(consider(order, surface))


def shown(considered: list[Offer]) -> list[Offer]:
    """Of all that was considered, the first offer of each method that is not withheld."""
    first: dict[str, Offer] = {}
    for offer in considered:
        if not offer.reason:
            first.setdefault(offer.method, offer)
    return list(first.values())


def elsewhere(considered: list[Offer]) -> list[Offer]:
    """Of all that was considered, the first offer of each method that is not shown and would be if the link were opened
    elsewhere.
    """
    here = {offer.method for offer in shown(considered)}
    first: dict[str, Offer] = {}
    for offer in considered:
        if offer.elsewhere and offer.method not in here:
            first.setdefault(offer.method, offer)
    return list(first.values())


def is_payable(case: Case, considered: list[Offer], now: datetime) -> bool:
    """Whether one of the wallets that were considered takes the order's money, wherever its link is opened. One that is
    only left alone for a while does: the link can be paid after that.
    """
    accounts = {offer.account.pk: offer.account for offer in considered}.values()
    return bool(shown(considered)) or any(
        shown(weigh_known(case, Surface.at(place), accounts, now)) for place in surfaces.PLACES
    )


def can_be_paid(order: Order) -> bool:
    """The same of an order, whoever looks at it."""
    case = Case.of(order)
    return is_payable(case, weigh(case, Surface()), clock.now())


def label(method: str, account: ProviderAccount) -> str:
    """A method as people call it, a shop's own gateway as its shop does. A wallet that only plays its part says so
    wherever it is named.
    """
    name = _at_shop(account) if registry.get(account.provider).run_by_shop else str(LABELS[method])
    return str(_("%(wallet)s (simulated)") % {"wallet": name}) if account.is_simulated else name


def _at_shop(account: ProviderAccount) -> str:
    return _own_name(account) or str(_("%(shop)s checkout") % {"shop": account.merchant.name})


def _own_name(account: ProviderAccount) -> str:
    """What a shop calls its own gateway, "" where it has not said."""
    return "" if account.is_locked else str(account.config.get("label", ""))[: limits.LABEL_CHARACTERS]


def is_card(method: str, account: ProviderAccount) -> bool:
    """Whether one pays "by card". A wallet has a name and is paid "with"; so has what only plays a card."""
    return method == "card" and not account.is_simulated


def below_minimum(least: object) -> "str | Promise":
    """Why a method does not take an amount."""
    return _("This wallet takes payments from %(amount)s.") % {"amount": least}


def between_steps(currency: str, step: int, amount: int) -> str:
    """Why a wallet does not take an amount, and what near it fits."""
    language = get_language() or settings.LANGUAGE_CODE
    text, fits = (Money(minor, currency).text(language) for minor in (step, max(step, amount // step * step)))
    words = _("This wallet takes and returns amounts in steps of %(step)s only, such as %(fits)s.")
    return str(words % {"step": text, "fits": fits})


def why_not_friend(
    case: Case, surface: Surface, *, stopped: bool | None = None, now: datetime | None = None
) -> Objection | None:
    """What keeps the buyer from asking a friend here; None when nothing. A link that was sent goes on working. Whether
    support has `stopped` the buyer, and the time, are asked for unless they are known.
    """
    if stopped is None:
        known = StoppedBuyer.objects.filter(merchant_id=case.merchant_id, buyer_id=case.buyer)
        stopped = bool(case.buyer) and known.exists()
    if stopped:
        return Objection("buyer_stopped", str(_("Support has stopped this buyer from asking friends.")))
    return _rules(case, surface, (now or clock.now()) if case.rules else None)(FRIEND)


def no_wallet(case: Case, considered: list[Offer], now: datetime) -> Objection | None:
    """What keeps pages from offering to ask a friend besides: that nobody could pay. A shop may ask all the same, and
    set up a wallet later.
    """
    return None if is_payable(case, considered, now) else rollout.no_wallet()


def may_ask_somewhere(order: Order) -> bool:
    """Whether the buyer can ask a friend for an order, wherever she opens its page."""
    case, places = Case.of(order), map(Surface.at, surfaces.PLACES)
    return can_be_paid(order) and any(why_not_friend(case, surface) is None for surface in places)


def check_friend(case: Case, surface: Surface, *, stopped: bool | None = None, now: datetime | None = None) -> None:
    """Refused where asking a friend is not offered. The public is not told why."""
    if why_not_friend(case, surface, stopped=stopped, now=now):
        raise Refused(
            "method_not_offered",
            _("A friend cannot be asked for this order. Please choose another way to pay."),
            status=403,
        )


def _rules(case: Case, surface: Surface, now: datetime | None) -> Callable[[str], Objection | None]:
    """What the shop's rules have against a method here and now."""
    return lambda method: rollout.objection(case, method, surface.place, now) if now else None


def _consider(
    case: Case,
    surface: Surface,
    account: ProviderAccount,
    provider: Provider,
    method: Method,
    objection: Objection | None,
) -> Offer:
    try:
        data = account.as_data()
    except ProviderError:
        return Offer(method.name, (), account, reason="credentials_locked")
    works, off_ladder = surfaces.ways(provider, method, data, surface.place)
    least, step = method.smallest.get(case.currency, 1), registry.step(account.provider, case.currency)
    reason = detail = elsewhere = ""
    if not account.enabled:
        reason = "account_disabled"
    elif account.live != case.live:
        reason = "account_is_for_live_orders" if account.live else "account_is_for_test_orders"
    elif method.currencies is not None and case.currency not in method.currencies:
        reason = "currency_not_taken"
    elif case.left < least:
        reason, detail = "below_minimum", str(below_minimum(Money(least, case.currency)))
    elif case.left % step:  # nor in parts: what they leave over could not be paid
        reason, detail = "amount_step", str(between_steps(case.currency, step, case.left))
    elif objection:
        reason, detail = objection.code, objection.text
    elif off_ladder:
        reason, elsewhere = off_ladder, surfaces.elsewhere(provider, method, data)
    return Offer(method.name, works, account, least=least, reason=reason, detail=detail, elsewhere=elsewhere)
