"""Back from a wallet's silent login. What it tells of the payer goes on to the wallet, and is kept nowhere."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from friendpay.pages import page
from orders.errors import Refused
from payments import checkout
from payments.models import PaymentRequest
from payments.views import buyer, friend, paying


@page("GET")
def back(request: HttpRequest) -> HttpResponse:
    """Go on with what was tapped. Whoever comes without having tapped, or a second time, is asked to tap again."""
    wish = paying.recall(request)
    if wish is None:
        return render(request, "payments/tap_again.html", status=400)
    plea = get_object_or_404(PaymentRequest.objects.select_related("order__merchant", "merchant"), token=wish.plea)
    try:
        payer_id = checkout.payer_id_of(
            plea, method=wish.method, surface=wish.surface(request), code=request.GET.get("code", "")
        )
        response = paying.carry_out(request, plea, wish, payer_id=payer_id)
    except Refused as refused:
        plea.refresh_from_db()
        status, words = refused.status, refused.message
        if wish.by_buyer:
            response = buyer.wallets(request, plea.order, status=status, refusal=words)
        else:
            response = friend.draw(request, plea, status=status, refusal=words)
    response.delete_cookie(paying.COOKIE)
    return response
