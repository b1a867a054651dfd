"""The demo shop's basket in a signed cookie, so that looking around writes nothing anywhere."""

from dataclasses import dataclass

from django.core import signing
from django.http import HttpRequest, HttpResponse

from friendpay.kit import limits
from orders.shop.demo_goods import GOODS, Goods

COOKIE = "basket"
SALT = "orders.shop.basket"


@dataclass(frozen=True)
class Line:
    """So many of one kind."""

    goods: Goods
    quantity: int

    @property
    def total(self) -> int:
        return self.goods.amount * self.quantity


class Basket:
    """What a visitor wants to buy."""

    def __init__(self, quantities: dict[str, int]) -> None:
        self.quantities = quantities

    @classmethod
    def of(cls, request: HttpRequest) -> "Basket":
        """The visitor's basket; an empty one for a cookie that is not ours or too old."""
        try:
            stored = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=limits.BASKET_SECONDS)
        except signing.BadSignature:
            stored = {}
        return cls({slug: quantity for slug, quantity in stored.items() if slug in GOODS})

    def keep(self, response: HttpResponse, *, secure: bool) -> HttpResponse:
        value = signing.dumps(self.quantities, salt=SALT)
        response.set_cookie(COOKIE, value, max_age=limits.BASKET_SECONDS, httponly=True, samesite="Lax", secure=secure)
        return response

    def change(self, slug: str, by: int) -> None:
        """More or less of one kind, between none and MOST."""
        quantity = min(limits.BASKET_PIECES, self.quantities.get(slug, 0) + by)
        if quantity > 0:
            self.quantities[slug] = quantity
        else:
            self.quantities.pop(slug, None)

    @property
    def lines(self) -> list[Line]:
        return [Line(GOODS[slug], quantity) for slug, quantity in self.quantities.items()]

    @property
    def count(self) -> int:
        return sum(self.quantities.values())

    @property
    def amount(self) -> int:
        return sum(line.total for line in self.lines)
