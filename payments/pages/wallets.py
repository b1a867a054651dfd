"""The wallets on a page, and where to go with the link for those that do not open here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from payments.offers import surfaces, weighing
from payments.offers.habits import Habits
from payments.offers.weighing import Offer, Surface

APPS = {name: gettext_lazy(app.label) for name, app in surfaces.APPS.items()} | {
    surfaces.OTHER_APP: gettext_lazy("This app")
}
ELSEWHERE = {
    "browser": gettext_lazy("%(here)s can't open %(wallet)s here: copy the link and open it in your browser."),
    "wallet": gettext_lazy("%(wallet)s works inside %(app)s: copy the link, send it to yourself there and open it."),
    "desktop": gettext_lazy(
        "%(wallet)s needs a computer here: open the link on one and scan the code with your phone."
    ),
}
_MARKS = frozenset(path.stem for path in (settings.BASE_DIR / "static/payments/marks").glob("*.svg"))


@dataclass(frozen=True)
class Way:
    """One way to pay: as its button says it (`label`), as its row does, and its mark, a file. `at_shop` is the shop's
    name where one pays on its own page, which has no other name.
    """

    method: str
    label: str
    by_card: bool
    at_shop: str
    mark: str

    @classmethod
    def of(cls, offer: Offer) -> Self:
        mark = offer.method if offer.method in _MARKS else "wallet"
        return cls(offer.method, offer.label, offer.by_card, offer.at_shop, f"payments/marks/{mark}.svg")

    @property
    def row(self) -> str:
        return _("Card or other ways at %(shop)s") % {"shop": self.at_shop} if self.at_shop else self.label


@dataclass(frozen=True)
class Wallets:
    """`ways` work here, the first is the page's great button; a hint is a sentence about one that works elsewhere."""

    ways: tuple[Way, ...]
    hints: tuple[str, ...]
    link: str

    @classmethod
    def of(cls, considered: list[Offer], surface: Surface, link: str, habits: Habits) -> Self:
        """Of all that was considered for an order, the likeliest first."""
        here = APPS.get(surface.place, "")
        hints = (
            ELSEWHERE[offer.elsewhere] % {"wallet": offer.label, "here": here, "app": APPS.get(offer.method, "")}
            for offer in weighing.elsewhere(considered)
        )
        ways = {way.method: way for way in ways_of(weighing.shown(considered))}
        language = get_language() or settings.LANGUAGE_CODE
        order = habits.order(list(ways), app=surface.app, language=language)
        return cls(tuple(ways[method] for method in order), tuple(map(str, hints)), link)

    @property
    def leads_on(self) -> bool:
        """Whether anything can be done: here, or elsewhere."""
        return bool(self.ways or self.hints)


def ways_of(offers: Iterable[Offer]) -> tuple[Way, ...]:
    return tuple(map(Way.of, offers))
