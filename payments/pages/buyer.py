"""The buyer's page: ask a friend, pay, follow what happens. Whoever has its link is the buyer; friends get another."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from friendpay.kit.errors import Refused
from friendpay.kit.languages import speak
from friendpay.kit.networks import network_of
from friendpay.kit.pages import SeeOther, page, said
from friendpay.kit.waiting import waits_for_wallet
from orders.models import Order
from payments.models import PaymentRequest
from payments.pages import context, paying
from payments.pages import form_action as leading
from payments.pages.forms import AddressForm, MessageForm, PartsForm, PayForm, ThanksForm
from payments.pages.visitors import surface_of, visitor_of
from payments.settlement import asking, lifecycle, requests


def _order(request: HttpRequest, token: str) -> Order:
    """The order, whose language its pages speak."""
    order = get_object_or_404(Order.objects.select_related("merchant"), token=token)
    speak(request, order.locale)
    return order


def draw(request: HttpRequest, order: Order, *, status: int = 200, **more: Any) -> HttpResponse:
    """The page in the state it is in, with whatever has to be said on it."""
    given = context.buyer_page(order, visitor_of(request), surface_of(request))
    payment_request = given["payment_request"]
    form = MessageForm(initial={"message": payment_request.message if payment_request else ""})
    parts_form = PartsForm(initial={"friends": (payment_request and payment_request.split_max_payers) or 3})
    given |= {"page": _url(order), "message_form": form, "parts_form": parts_form, "thanks_form": ThanksForm()}
    given |= {"mail_form": AddressForm(auto_id="mail_%s"), "said": said(request), "status": status, **more}
    return render(request, "payments/buyer.html", given, status=status)


def _url(order: Order) -> str:
    return reverse("buyer", args=[order.token])


def _open(order: Order) -> PaymentRequest | None:
    return PaymentRequest.objects.filter(order=order, status=PaymentRequest.Status.OPEN).first()


@page("GET")
def show(request: HttpRequest, token: str) -> HttpResponse:
    """The order, and where asking and paying stand."""
    return draw(request, _order(request, token))


@page("POST", of="buyer")
def ask(request: HttpRequest, token: str) -> HttpResponse:
    """Open a request to share, or share the one that is open, where asking a friend is offered."""
    order = _order(request, token)
    try:
        asking.ask(order, surface_of(request), network_of(request))
    except Refused as refused:
        return draw(request, order, status=refused.status, refusal=refused.message)
    return SeeOther(_url(order))


@page("POST", of="buyer")
def message(request: HttpRequest, token: str) -> HttpResponse:
    """Other words to the friend."""
    order = _order(request, token)
    form = MessageForm(request.POST)
    payment_request = _open(order)
    if not form.is_valid():
        return draw(request, order, status=422, message_form=form)
    if payment_request:
        try:
            requests.change_message(payment_request.pk, form.cleaned_data["message"], actor="buyer")
        except Refused as refused:
            paying.put_beside(form, refused)
            return draw(request, order, status=refused.status, message_form=form, refusal=paying.above(form, "message"))
    return SeeOther(_url(order))


@page("POST", of="buyer")
def parts(request: HttpRequest, token: str) -> HttpResponse:
    """Several friends may pay together, or one alone."""
    order = _order(request, token)
    form = PartsForm(request.POST)
    payment_request = _open(order)
    if not form.is_valid():
        return draw(request, order, status=422, parts_form=form)
    if payment_request:
        try:
            requests.allow_parts(payment_request.pk, form.split(), actor="buyer")
        except Refused as refused:
            return draw(request, order, status=refused.status, refusal=refused.message)
    return SeeOther(_url(order))


@page("POST", of="buyer")
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """No friend is asked any more."""
    order = _order(request, token)
    payment_request = _open(order)
    if payment_request:
        try:
            lifecycle.cancel_request(payment_request.pk, actor="buyer")
        except Refused as refused:
            return draw(request, order, status=refused.status, refusal=refused.message)
    return SeeOther(_url(order))


@page("GET", "POST")
@waits_for_wallet()
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the wallets the buyer could use; POST begins with one of them."""
    order = _order(request, token)
    if request.method != "POST":
        if order.status != Order.Status.AWAITING_PAYMENT:
            return SeeOther(_url(order))
        return wallets(request, order)
    form = PayForm(request.POST, currency=order.currency)
    status = 422
    if form.is_valid():
        try:
            payment_request = lifecycle.open_request(order.pk, actor="buyer", shared=False)
            return paying.begin(request, payment_request, form, by_buyer=True)
        except Refused as refused:
            paying.put_beside(form, refused)
            status = refused.status
    return wallets(request, order, status=status, refusal=paying.above(form))


def wallets(request: HttpRequest, order: Order, *, status: int = 200, **more: Any) -> HttpResponse:
    """The page of the wallets, with whatever has to be said on it."""
    given = context.buyer_pay_page(order, visitor_of(request), surface_of(request))
    given |= {"page": reverse("buyer_pay", args=[order.token]), "status": status, **more}
    return leading.to_wallets(render(request, "payments/buyer_pay.html", given, status=status), order)


@page("POST", of="buyer")
def thanks(request: HttpRequest, token: str) -> HttpResponse:
    """A thank-you for the receipts of all who paid."""
    order = _order(request, token)
    form = ThanksForm(request.POST)
    if not form.is_valid():
        return draw(request, order, status=422, thanks_form=form)
    payment_request = PaymentRequest.objects.filter(order=order, status=PaymentRequest.Status.PAID).first()
    if payment_request:
        try:
            requests.thank(payment_request.pk, **form.cleaned_data)
        except Refused as refused:
            paying.put_beside(form, refused)
            return draw(request, order, status=refused.status, thanks_form=form)
    return SeeOther(_url(order))


@page("GET")
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """What the buyer keeps. It tells who paid, never from which account."""
    order = _order(request, token)
    if order.status != Order.Status.PAID:
        return SeeOther(_url(order))
    return render(request, "payments/buyer_receipt.html", context.buyer_receipt(order) | {"page": request.path})
