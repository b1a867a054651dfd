"""Where friendpay's messages arrive, and the page a buyer comes back to."""

import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from friendpay_client import FriendpayError, WebhookRefused, webhooks
from oscar.core.loading import get_model

from friendpay_oscar import links, orders, statuses

logger = logging.getLogger("friendpay.oscar")


@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponse:
    """204 when the shop is up to date; 503 asks for the message again. Orders of others are none of our business."""
    secret = settings.FRIENDPAY_WEBHOOK_SECRET
    try:
        message = webhooks.verify(request.body, request.headers, secret.split(","))
    except WebhookRefused as error:
        logger.warning("a message was refused: %s", error)
        return HttpResponse(status=400)
    if message["order"]:
        try:
            orders.hear(message["order"], message["type"])
        except FriendpayError:
            logger.exception("%s of %s is to be told again", message["type"], message["order"])
            return HttpResponse(status=503)
    return HttpResponse(status=204)


def order(request: HttpRequest, number: str, signature: str) -> HttpResponse:
    """How the order stands; who waits may go back to her link, or give the order up."""
    if not links.fits(number, signature):
        raise Http404
    found = get_object_or_404(get_model("order", "Order"), number=number)
    checkout_url = ""
    try:
        if request.method == "POST" and found.status == statuses.WAITING:
            orders.give_up(found)
            return redirect(request.path)
        checkout_url = orders.sync(found, hasty=True)["checkout_url"]
    except FriendpayError as error:  # the page still says what the shop knows
        logger.warning("order %s: %s", number, error)
    waiting, given_up = found.status == statuses.WAITING, found.status == statuses.given_up()
    if not waiting and not given_up and request.session.get("checkout_order_id") == found.pk:
        return redirect("checkout:thank-you")
    told = {"order": found, "waiting": waiting, "given_up": given_up, "checkout_url": checkout_url}
    return render(request, "friendpay_oscar/order.html", told)
