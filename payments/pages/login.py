"""Back from a wallet's silent login (OAuth): what it tells of the payer goes on to the wallet, and is kept nowhere."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from friendpay.kit import clock
from friendpay.kit.errors import Refused
from friendpay.kit.pages import SeeOther, page
from friendpay.kit.waiting import waits_for_wallet
from payments.models import PaymentRequest
from payments.pages import buyer, friend_page, paying
from payments.pages.attempts import next_url
from payments.pages.refusals import Told
from payments.pages.visitors import visitor_of
from payments.settlement import checkout, turns


@page("GET")
@waits_for_wallet("GET", "HEAD", lane="login")
def back(request: HttpRequest) -> HttpResponse:
    """Go on with what was tapped; whoever comes without having tapped is asked to tap. WeChat on Android loads this
    twice at times: the second finds the attempt that the first began.
    """
    wish = paying.recall(request)
    if wish is None:
        return render(request, "payments/tap_again.html", status=400)
    payment_request = get_object_or_404(
        PaymentRequest.objects.select_related("order__merchant", "merchant"), token=wish.payment_request
    )
    try:
        payer_id = checkout.payer_id_of(
            payment_request, method=wish.method, surface=wish.surface(request), code=request.GET.get("code", "")
        )
        return paying.carry_out(request, payment_request, wish, payer_id=payer_id)
    except Refused as refused:
        status, words = refused.status, refused.message
    mine = turns.own(payment_request, visitor_of(request), clock.now())
    if mine:
        return SeeOther(next_url(mine[-1]))
    payment_request.refresh_from_db()
    if wish.by_buyer:
        return buyer.wallets(request, payment_request.order, status=status, refusal=words)
    return friend_page.draw(request, payment_request.token, told=Told(refusal=str(words), status=status))
