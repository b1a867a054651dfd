"""Where a page is opened, as a parameter of calls."""

from enum import StrEnum

from payments.offers.surfaces import DESKTOP, PLACES
from payments.offers.weighing import Surface


class Screen(StrEnum):
    """Where a page is opened."""

    _ignore_ = ["members", "place"]
    members = vars()
    for place in PLACES:
        members[place.upper()] = place

    @property
    def surface(self) -> Surface:
        return Surface.at(str(self))


ON_DESKTOP = Screen(DESKTOP)
