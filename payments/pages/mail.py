"""Pages to give us an e-mail address and to unsubscribe. Nothing is sent from here."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt

from friendpay.kit.errors import Refused
from friendpay.kit.languages import speak
from friendpay.kit.networks import network_of
from friendpay.kit.pages import SeeOther, page
from orders.models import Order
from payments.mail import outbox as mail
from payments.models import MailAddress, Payment, PaymentRequest
from payments.pages import addresses, buyer, friend_page, paying, receipt
from payments.pages.addresses import Giver
from payments.pages.forms import AddressForm, RemindForm
from payments.pages.refusals import refusals_on, taken
from payments.pages.visitors import keep_visitor, remember


def _giver(request: HttpRequest, form: AddressForm) -> Giver:
    address = form.cleaned_data["address"]
    return Giver(address, get_language() or "en", keep_visitor(request), network_of(request))


@page("POST", of="buyer")
def tell_buyer(request: HttpRequest, token: str) -> HttpResponse:
    """The buyer gives an address for the news of the order."""
    order = get_object_or_404(Order.objects.select_related("merchant"), token=token)
    speak(request, order.locale)
    payment_request = PaymentRequest.objects.filter(order=order, status=PaymentRequest.Status.OPEN).first()
    form = AddressForm(request.POST, auto_id="mail_%s")
    status = 422
    if payment_request is None:
        return SeeOther(reverse("buyer", args=[token]))
    if form.is_valid():
        try:
            addresses.tell_buyer(payment_request.pk, _giver(request, form))
            return remember(request, SeeOther(reverse("buyer", args=[token])))
        except Refused as refused:
            paying.put_beside(form, refused)
            status = refused.status
    return buyer.draw(request, order, status=status, mail_form=form, refusal=paying.above(form, "address"))


@page("POST", of="receipt")
def mail_receipt(request: HttpRequest, token: str) -> HttpResponse:
    """The payer wants the receipt by mail."""
    payment = get_object_or_404(Payment, token=token)
    form = AddressForm(request.POST, auto_id="mail_%s")
    status = 422
    if form.is_valid():
        try:
            addresses.mail_receipt(payment.pk, _giver(request, form))
            return remember(request, SeeOther(reverse("receipt", args=[token])))
        except Refused as refused:
            paying.put_beside(form, refused)
            status = refused.status
    return receipt.draw(request, token, status=status, mail_form=form)


@page("POST", of="friend")
@refusals_on(friend_page.draw)
def remind(request: HttpRequest, token: str) -> HttpResponse:
    """A friend wants to be reminded by mail."""
    payment_request = get_object_or_404(PaymentRequest, token=token)
    form = RemindForm(request.POST)
    given = taken(request, form)
    addresses.remind(payment_request.pk, given["at"], _giver(request, form))
    return remember(request, SeeOther(reverse("friend", args=[token])))


@csrf_exempt
@page("GET", "POST")
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, since mail filters open links; POST stops all mail to that address, from a mail program too."""
    row = get_object_or_404(MailAddress, token=token)
    if request.method == "POST":
        mail.stop(row)
        row.refresh_from_db()
    return render(request, "payments/stop_mail.html", {"stopped": row.stopped_at, "page": request.path})
