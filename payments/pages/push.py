"""Being told by the browser while the page is closed: one tap to begin, one to stop. Called by a script alone."""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language

from friendpay.kit.errors import Refused
from friendpay.kit.languages import speak
from friendpay.kit.networks import network_of
from friendpay.kit.pages import page
from orders.models import Order
from payments.models import PaymentRequest
from payments.pages import addresses
from payments.pages.addresses import Giver
from payments.pages.forms import PushForm
from payments.pages.visitors import keep_visitor, remember


@page("POST", of="buyer")
def tell_buyer(request: HttpRequest, token: str) -> HttpResponse:
    """The news of the order go to this browser, or with `stop` no longer do."""
    order = get_object_or_404(Order, token=token)
    speak(request, order.locale)
    payment_request = PaymentRequest.objects.filter(order=order).order_by("-id").first()
    return _answer(request, payment_request)


@page("POST", of="friend")
def remind(request: HttpRequest, token: str) -> HttpResponse:
    """This browser reminds a friend at the chosen time, or with `stop` no longer does."""
    return _answer(request, get_object_or_404(PaymentRequest, token=token))


def _answer(request: HttpRequest, payment_request: PaymentRequest | None) -> HttpResponse:
    form = PushForm(request.POST)
    if payment_request is None or not form.is_valid():
        return HttpResponse(" ".join(str(it[0]) for it in form.errors.values()), status=422, content_type="text/plain")
    subscription, at = form.subscription(), form.cleaned_data["at"]
    service = urlsplit(subscription["endpoint"]).hostname or ""
    giver = Giver(service, get_language() or "en", keep_visitor(request), network_of(request), subscription)
    try:
        if form.cleaned_data["stop"]:
            addresses.stop_push(giver, payment_request.order_id)
        elif at:
            addresses.remind(payment_request.pk, at, giver, form.cleaned_data["share"])
        else:
            addresses.tell_buyer(payment_request.pk, giver)
    except Refused as refused:
        return HttpResponse(str(refused.message), status=refused.status, content_type="text/plain")
    return remember(request, HttpResponse(status=204))
