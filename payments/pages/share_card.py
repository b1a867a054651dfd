"""WeChat's own share card on the buyer's page: what WeChat's menu sends from there is the friend's page instead.

It needs a script of WeChat's own. That is loaded inside WeChat alone, for shops whose account has been set up for it,
and no other page's policy allows it.
"""

import logging
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from friendpay.kit import limits
from friendpay.kit.csp import PAGES
from friendpay.kit.languages import speak
from friendpay.kit.pages import page
from friendpay.kit.templatetags.pictures import preview_picture
from friendpay.kit.waiting import waits_for_wallet
from orders.models import Order
from payments.models import PaymentRequest, ProviderAccount
from payments.offers.weighing import Surface
from payments.share import text
from payments.wallets.base import Account, ProviderError
from payments.wallets.wechatpay import share_card

logger = logging.getLogger(__name__)

_tickets: dict[str, tuple[float, share_card.Ticket | None]] = {}  # by account: until when, as this process' clock tells


def script_of(accounts: Iterable[ProviderAccount], surface: Surface) -> str:
    """The address of the script, where there is to be a card; else ""."""
    if surface.place != "wechatpay":
        return ""
    account = _account(accounts)
    return share_card.script(account) if account else ""


def allow(response: HttpResponse, script: str) -> HttpResponse:
    """A page that loads it."""
    parts = urlsplit(script)
    allowed = f"script-src 'self' {parts.scheme}://{parts.netloc}"
    response["Content-Security-Policy"] = PAGES.replace("script-src 'self'", allowed)
    return response


@page("GET")
@waits_for_wallet("GET", "HEAD", lane="share_card")
def show(request: HttpRequest, token: str) -> HttpResponse:
    """What the script is given on this order's page, for the card of its open request; 404 where there is no card."""
    order = get_object_or_404(Order.objects.select_related("merchant"), token=token)
    speak(request, order.locale)
    asked = PaymentRequest.objects.filter(order=order, status=PaymentRequest.Status.OPEN).first()
    account = _account(ProviderAccount.objects.filter(merchant=order.merchant, live=order.live))
    ticket = _ticket(account) if account and asked else None
    if account is None or asked is None or ticket is None:
        raise Http404
    shop = order.merchant
    card = {
        "title": _("Could you help pay at %(shop)s?") % {"shop": shop.name},
        "desc": _("Open the link to see who is asking and what for."),
        "link": text.link(asked),
        "imgUrl": settings.PUBLIC_URL + reverse("logo", args=[shop.logo]) if shop.logo else preview_picture(),
    }
    url = f"{settings.PUBLIC_URL}{reverse('buyer', args=[token])}"
    query = request.META["QUERY_STRING"]  # the page's own, which is signed as it stands
    return JsonResponse(
        {"config": share_card.config(account, ticket, f"{url}?{query}" if query else url), "card": card}
    )


def _account(accounts: Iterable[ProviderAccount]) -> Account | None:
    """The shop's, if it is set up for cards and its credentials can be read."""
    for account in accounts:
        if account.provider == "wechatpay" and account.enabled and share_card.GRANT in account.granted:
            try:
                data = account.as_data()
            except ProviderError:
                continue
            if share_card.is_set_up(data):
                return data
    return None


def _ticket(account: Account) -> share_card.Ticket | None:
    """One that is good for a while. WeChat is not asked again and again, whatever it said."""
    until, known = _tickets.get(account.id, (0.0, None))
    if time.monotonic() < until:
        return known
    try:
        given = share_card.ticket(account)
    except ProviderError as error:
        logger.warning("no ticket for share cards of %s: %s (%s)", account.id, error.message, error.code)
        given = None
    lasts = given.lasts / 2 if given else limits.SHARE_CARD_AGAIN_SECONDS
    _tickets[account.id] = (time.monotonic() + lasts, given)
    return given
