"""The buyer's page: ask a friend, pay, follow what happens. Whoever has its link is the buyer; friends get another."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from friendpay.kit.errors import Refused
from friendpay.kit.languages import speak
from friendpay.kit.networks import network_of
from friendpay.kit.pages import SeeOther, page, saying
from friendpay.kit.rendering import draw
from friendpay.kit.waiting import waits_for_wallet
from orders.models import Order
from payments.models import PaymentRequest
from payments.pages import buyer_page, buyer_pay_page, buyer_receipt_page, gate, paying
from payments.pages.buyer_reading import read
from payments.pages.forms import MessageForm, PartsForm, PayForm, SharesForm, ThanksForm
from payments.pages.refusals import refusals_on, taken
from payments.pages.visitors import surface_of
from payments.settlement import asking, lifecycle, requests


def _order(request: HttpRequest, token: str) -> Order:
    """The order, whose language its pages speak."""
    order = get_object_or_404(Order.objects.select_related("merchant"), token=token)
    speak(request, order.locale)
    return order


def _to_page(token: str) -> HttpResponse:
    return SeeOther(reverse("buyer", args=[token]))


def _saved(token: str) -> HttpResponse:
    """Back to the place where it was changed, which says so."""
    response = SeeOther(f"{reverse('buyer', args=[token])}#settings")
    return saying(response, "saved")


def _open(order: Order) -> PaymentRequest | None:
    return PaymentRequest.objects.filter(order=order, status=PaymentRequest.Status.OPEN).first()


@page("GET")
def show(request: HttpRequest, token: str) -> HttpResponse:
    """The order, and where asking and paying stand."""
    return buyer_page.draw(request, token)


@page("POST", of="buyer")
@refusals_on(buyer_page.draw)
def ask(request: HttpRequest, token: str) -> HttpResponse:
    """Open a request to share, or share the one that is open, where asking a friend is offered."""
    asking.ask(_order(request, token), surface_of(request), network_of(request))
    return gate.mark(request, _to_page(token), token)


@page("POST", of="buyer")
def mine(request: HttpRequest, token: str) -> HttpResponse:
    """A browser that did not ask says that the order is its user's."""
    get_object_or_404(Order, token=token)
    return gate.mark(request, _to_page(token), token)


@page("POST", of="buyer")
@refusals_on(buyer_page.draw)
def more_time(request: HttpRequest, token: str) -> HttpResponse:
    """The same link lives on, as long as a new one would."""
    order = _order(request, token)
    if payment_request := _open(order):
        requests.extend_request(payment_request.pk, None, actor="buyer")
    return _saved(token)


@page("POST", of="buyer")
@refusals_on(buyer_page.draw)
def message(request: HttpRequest, token: str) -> HttpResponse:
    """Other words to the friend."""
    order = _order(request, token)
    given = taken(request, MessageForm(request.POST))
    if payment_request := _open(order):
        requests.change_message(payment_request.pk, given["message"], actor="buyer")
    return _saved(token)


@page("POST", of="buyer")
@refusals_on(buyer_page.draw)
def parts(request: HttpRequest, token: str) -> HttpResponse:
    """Several friends may pay together, or one alone."""
    order = _order(request, token)
    form = PartsForm(request.POST)
    taken(request, form)
    if payment_request := _open(order):
        requests.allow_parts(payment_request.pk, form.split(), actor="buyer")
    return _saved(token)


@page("POST", of="buyer")
@refusals_on(buyer_page.draw)
def shares(request: HttpRequest, token: str) -> HttpResponse:
    """The order is split among names: each pays her share, and all have to."""
    order = _order(request, token)
    given = taken(request, SharesForm(request.POST, currency=order.currency))
    if payment_request := _open(order):
        try:
            requests.allow_parts(payment_request.pk, given["shares"], actor="buyer")
        except Refused as refused:
            refused.field = "shares"
            raise
    return _saved(token)


@page("POST", of="buyer")
@refusals_on(buyer_page.draw)
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """No friend is asked any more."""
    if payment_request := _open(_order(request, token)):
        lifecycle.cancel_request(payment_request.pk, actor="buyer")
    return _to_page(token)


@page("POST", of="buyer")
@refusals_on(buyer_page.draw)
def thanks(request: HttpRequest, token: str) -> HttpResponse:
    """A thank-you for the receipts of all who paid."""
    order = _order(request, token)
    given = taken(request, ThanksForm(request.POST))
    paid = PaymentRequest.objects.filter(order=order, status=PaymentRequest.Status.PAID).first()
    if paid:
        requests.thank(paid.pk, **given)
    return _to_page(token)


@page("GET", "POST")
@waits_for_wallet()
@refusals_on(buyer_pay_page.draw)
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the wallets the buyer could use; POST begins with one of them."""
    if request.method != "POST":
        return buyer_pay_page.draw(request, token)
    order = _order(request, token)
    form = PayForm(request.POST, currency=order.currency)
    taken(request, form)
    payment_request = lifecycle.open_request(order.pk, actor="buyer", shared=False)
    return paying.begin(request, paying.tapped(request, payment_request.token), form, by_buyer=True)


@page("GET")
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """What the buyer keeps. It tells who paid, never from which account."""
    reading = read(token, "")
    speak(request, reading.order.locale)
    if reading.order.status != Order.Status.PAID:
        return _to_page(token)
    return draw(request, buyer_receipt_page.build(reading, url=request.path))
