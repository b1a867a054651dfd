"""What the demo shop sells, and to whom."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MERCHANT = "mer_harbourtea"
CURRENCY = "CNY"
CUSTOMER = _("Lin")


@dataclass(frozen=True)
class Goods:
    """One kind of goods; `amount` in minor units of CURRENCY."""

    slug: str
    name: "str | Promise"
    detail: "str | Promise"
    amount: int
    category: str

    @property
    def picture(self) -> str:
        return f"orders/{self.slug}.svg"


GOODS = {
    goods.slug: goods
    for goods in (
        Goods("spring-oolong", _("Spring oolong, 100 g"), _("Rolled leaves, light and flowery"), 4500, "tea"),
        Goods("jasmine-pearls", _("Jasmine pearls, 80 g"), _("Green tea, scented over five nights"), 3800, "tea"),
        Goods("osmanthus-black", _("Osmanthus black, 100 g"), _("Warm and sweet, with yellow blossom"), 5200, "tea"),
        Goods("white-tea-cake", _("White tea cake, 200 g"), _("Pressed, and rested for seven years"), 12800, "tea"),
        Goods("gaiwan", _("Porcelain gaiwan, 110 ml"), _("Painted by hand in blue"), 8600, "teaware"),
        Goods("clay-teapot", _("Clay teapot, 160 ml"), _("Unglazed; it remembers every tea"), 26800, "teaware"),
    )
}
