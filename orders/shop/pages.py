"""The demo shop's pages, as their templates draw them."""

from dataclasses import dataclass
from typing import ClassVar, TypeVar

from django.urls import reverse

from friendpay.kit.money import Money
from friendpay.kit.rendering import Page
from orders.models import Merchant
from orders.shop.basket import Basket
from orders.shop.demo_goods import CURRENCY, CUSTOMER, GOODS, MERCHANT, Goods


@dataclass(frozen=True)
class Item:
    """One kind of goods, and how many of it are in the basket."""

    slug: str
    name: str
    detail: str
    picture: str
    price: Money
    quantity: int

    @classmethod
    def of(cls, goods: Goods, quantity: int) -> "Item":
        price = Money(goods.amount, CURRENCY)
        return cls(goods.slug, str(goods.name), str(goods.detail), goods.picture, price, quantity)

    @property
    def sum(self) -> Money:
        return Money(self.price.minor * self.quantity, self.price.currency)


@dataclass(frozen=True, kw_only=True)
class ShopPage(Page):
    """The shelf. `goods` is all there is, in the shop's order."""

    template: ClassVar[str] = "shop.html"

    name: str
    customer: str
    goods: tuple[Item, ...]
    count: int
    total: Money


@dataclass(frozen=True, kw_only=True)
class BasketPage(ShopPage):
    """What was put in; `goods` as they were put in."""

    template: ClassVar[str] = "basket.html"


AnyPage = TypeVar("AnyPage", bound=ShopPage)


def build(kind: type[AnyPage], basket: Basket, *, at: str) -> AnyPage:
    """A page of the shop for whoever has this basket; `at` is the name of its address."""
    shop = Merchant.objects.get(public_id=MERCHANT)
    first = {slug: GOODS[slug] for slug in basket.quantities} | GOODS
    goods = first if kind is BasketPage else GOODS
    return kind(
        url=reverse(at),
        accent=shop.accent,
        name=shop.name,
        customer=str(CUSTOMER),
        goods=tuple(Item.of(item, basket.quantities.get(slug, 0)) for slug, item in goods.items()),
        count=basket.count,
        total=Money(basket.amount, CURRENCY),
    )
