"""Back from a wallet's silent login (OAuth): what it tells of the payer goes on to the wallet, and is kept nowhere."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from friendpay.kit.pages import SeeOther, page
from friendpay.kit.rendering import Page, draw
from friendpay.kit.waiting import waits_for_wallet
from payments.models import PaymentRequest
from payments.pages import buyer_pay_page, friend_page, paying
from payments.pages.attempts import next_url
from payments.pages.refusals import Told, refusals_on
from payments.pages.visitors import visitor_of
from payments.settlement import checkout, turns


class TapAgain(Page):
    """For whoever comes without having tapped, or too late."""

    template = "tap_again.html"


def _of(token: str) -> PaymentRequest:
    return get_object_or_404(PaymentRequest.objects.select_related("order__merchant", "merchant"), token=token)


def _refused(request: HttpRequest, *, told: Told) -> HttpResponse:
    """The attempt that was begun meanwhile, if there is one; else the page that the tap was on."""
    choice = paying.recall(request)
    if choice is None:
        return draw(request, TapAgain(url=request.path), status=400)
    payment_request = _of(choice.payment_request)
    if mine := turns.begun(payment_request, visitor_of(request)).own:
        return SeeOther(next_url(mine[-1]))
    if choice.by_buyer:
        return buyer_pay_page.draw(request, payment_request.order.token, told=told)
    return friend_page.draw(request, payment_request.token, told=told)


@page("GET")
@waits_for_wallet("GET", "HEAD", lane="login")
@refusals_on(_refused)
def back(request: HttpRequest) -> HttpResponse:
    """Go on with what was tapped; whoever comes without having tapped is asked to tap. WeChat on Android loads this
    twice at times: the second finds the attempt that the first began.
    """
    choice = paying.recall(request)
    if choice is None:
        return draw(request, TapAgain(url=request.path), status=400)
    tap = paying.tapped(request, choice.payment_request)
    offer = tap.offer(choice.method, choice.surface(request))
    payer_id = checkout.payer_id_of(offer, code=request.GET.get("code", ""))
    return paying.carry_out(request, tap, offer, choice, payer_id=payer_id)
