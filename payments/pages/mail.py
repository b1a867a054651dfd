"""Pages to give us an e-mail address and to unsubscribe. Nothing is sent from here."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt

from friendpay.kit.languages import speak
from friendpay.kit.networks import network_of
from friendpay.kit.pages import SeeOther, page
from friendpay.kit.rendering import draw
from orders.models import Order
from payments.mail import outbox
from payments.models import MailAddress, Payment, PaymentRequest
from payments.pages import addresses, buyer_page, friend_page, receipt_page, shares
from payments.pages.addresses import Giver
from payments.pages.forms import AddressForm, RemindForm
from payments.pages.refusals import refusals_on, taken
from payments.pages.small_pages import StopMailPage
from payments.pages.visitors import keep_visitor, remember


def _giver(request: HttpRequest, address: str) -> Giver:
    return Giver(address, get_language() or "en", keep_visitor(request), network_of(request))


@page("POST", of="buyer")
@refusals_on(buyer_page.draw)
def tell_buyer(request: HttpRequest, token: str) -> HttpResponse:
    """The buyer gives an address for the news of the order."""
    order = get_object_or_404(Order, token=token)
    speak(request, order.locale)
    to_page = SeeOther(reverse("buyer", args=[token]))
    payment_request = PaymentRequest.objects.filter(order=order, status=PaymentRequest.Status.OPEN).first()
    if payment_request is None:
        return to_page
    given = taken(request, AddressForm(request.POST))
    addresses.tell_buyer(payment_request.pk, _giver(request, given["address"]))
    return remember(request, to_page)


@page("POST", of="receipt")
@refusals_on(receipt_page.draw)
def mail_receipt(request: HttpRequest, token: str) -> HttpResponse:
    """The payer wants the receipt by mail."""
    payment = get_object_or_404(Payment, token=token)
    given = taken(request, AddressForm(request.POST))
    addresses.mail_receipt(payment.pk, _giver(request, given["address"]))
    return remember(request, SeeOther(reverse("receipt", args=[token])))


@page("POST", of="friend")
@refusals_on(friend_page.draw)
def remind(request: HttpRequest, token: str) -> HttpResponse:
    """A friend wants to be reminded, by mail or by the own calendar."""
    payment_request = get_object_or_404(PaymentRequest, token=token)
    if "calendar" in request.POST:
        asked = urlencode({name: request.POST[name] for name in ("at", "share") if name in request.POST})
        return SeeOther(f"{reverse('remind_file', args=[token])}?{asked}")
    given = taken(request, RemindForm(request.POST))
    addresses.remind(payment_request.pk, given["at"], _giver(request, given["address"]), given["share"])
    return remember(request, SeeOther(shares.page_of(token, given["share"])))


@csrf_exempt
@page("GET", "POST")
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, since mail filters open links; POST stops all mail to that address, from a mail program too."""
    row = get_object_or_404(MailAddress, token=token)
    if request.method == "POST":
        outbox.stop(row)
        row.refresh_from_db()
    return draw(request, StopMailPage(url=request.path, stopped=row.stopped_at is not None))
