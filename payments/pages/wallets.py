"""The wallets on a page, and where to go with the link for those that do not open here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from django.utils.translation import gettext_lazy as _

from payments.offers import surfaces, weighing
from payments.offers.weighing import Offer, Surface

APPS = {name: _(app.label) for name, app in surfaces.APPS.items()} | {surfaces.OTHER_APP: _("This app")}
ELSEWHERE = {
    "browser": _("%(here)s can't open %(wallet)s here: copy the link and open it in your browser."),
    "wallet": _("%(wallet)s works inside %(app)s: copy the link, send it to yourself there and open it."),
    "desktop": _("%(wallet)s needs a computer here: open the link on one and scan the code with your phone."),
}


@dataclass(frozen=True)
class Way:
    """One way to pay, as its button says it."""

    method: str
    label: str
    by_card: bool


@dataclass(frozen=True)
class Wallets:
    """`ways` work here, the first is the page's great button; a hint is a sentence about one that works elsewhere."""

    ways: tuple[Way, ...]
    hints: tuple[str, ...]
    link: str

    @classmethod
    def of(cls, considered: list[Offer], surface: Surface, link: str) -> Self:
        """Of all that was considered for an order."""
        here = APPS.get(surface.place, "")
        hints = (
            ELSEWHERE[offer.elsewhere] % {"wallet": offer.label, "here": here, "app": APPS.get(offer.method, "")}
            for offer in weighing.elsewhere(considered)
        )
        return cls(ways_of(weighing.shown(considered)), tuple(map(str, hints)), link)


def ways_of(offers: Iterable[Offer]) -> tuple[Way, ...]:
    return tuple(Way(offer.method, offer.label, offer.by_card) for offer in offers)
