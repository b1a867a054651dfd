"""The demo shop: goods, a basket, and the way to the checkout. And every shop's colour, logo and pictures."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language

from friendpay.kit import ids
from friendpay.kit.pages import SeeOther, page
from friendpay.kit.rendering import draw
from orders.branding import stylesheet
from orders.models import Logo, Merchant, PictureFile
from orders.services import LineDraft, place_order
from orders.shop.basket import COOKIE, Basket
from orders.shop.demo_goods import CURRENCY, CUSTOMER, MERCHANT
from orders.shop.forms import BasketForm
from orders.shop.pages import BasketPage, ShopPage, build

_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}  # the address changes with what is behind it


@page("GET")
def shop(request: HttpRequest) -> HttpResponse:
    """The goods. Where there is no demo shop, the way to a friend's request."""
    if not Merchant.objects.filter(public_id=MERCHANT).exists():
        return redirect("open")
    return draw(request, build(ShopPage, Basket.of(request), at="shop"))


@page("GET", "POST")
def basket(request: HttpRequest) -> HttpResponse:
    """GET shows the basket; POST puts something in or takes it out."""
    chosen = Basket.of(request)
    if request.method != "POST":
        return draw(request, build(BasketPage, chosen, at="basket"))
    form = BasketForm(request.POST)
    if not form.is_valid():
        return render(request, "400.html", status=400)
    slug = form.cleaned_data["slug"]
    chosen.change(slug, form.cleaned_data["change"])
    to = reverse("basket") if form.cleaned_data["back"] else f"{reverse('shop')}#{slug}"
    return chosen.keep(SeeOther(to), secure=request.is_secure())


@page("POST", of="basket")
def place(request: HttpRequest) -> HttpResponse:
    """Make an order of the basket and go to its checkout."""
    chosen = Basket.of(request)
    if not chosen.lines:
        return SeeOther(reverse("basket"))
    order = place_order(
        Merchant.objects.get(public_id=MERCHANT),
        reference=f"HT-{ids.token(6).upper()}",
        currency=CURRENCY,
        lines=[
            LineDraft(
                str(line.goods.name), line.quantity, line.goods.amount, line.goods.category, static(line.goods.picture)
            )
            for line in chosen.lines
        ],
        buyer_id="demo-customer",
        buyer_name=str(CUSTOMER),
        return_url=f"{settings.PUBLIC_URL}/",
        locale=get_language() or "",
    )
    response = SeeOther(reverse("buyer", args=[order.token]))
    response.delete_cookie(COOKIE)
    return response


@page("GET")
def accent(request: HttpRequest, colour: str) -> HttpResponse:
    """A shop's colour as a stylesheet."""
    return HttpResponse(stylesheet(f"#{colour}"), content_type="text/css; charset=utf-8", headers=_FOR_EVER)


@page("GET")
def logo(request: HttpRequest, name: str) -> HttpResponse:
    """A shop's picture."""
    found = get_object_or_404(Logo, name=name)
    return HttpResponse(bytes(found.picture), content_type="image/png", headers=_FOR_EVER)


@page("GET")
def picture(request: HttpRequest, name: str) -> HttpResponse:
    """A picture of goods, as we have redrawn it. What is not ready is not there."""
    found = get_object_or_404(PictureFile, picture__name=name)
    return HttpResponse(bytes(found.content), content_type="image/webp", headers=_FOR_EVER)
