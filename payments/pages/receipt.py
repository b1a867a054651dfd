"""The payer's own pages: the code to scan, and the receipt. Whoever has the payment's link is its payer."""

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from friendpay.kit import clock
from friendpay.kit import counters as ratelimit
from friendpay.kit.pages import SeeOther, page, saying
from friendpay.kit.waiting import waits_for_wallet
from payments.models import Payment
from payments.pages import context
from payments.pages import form_action as leading
from payments.pages.forms import AddressForm
from payments.pages.steps import from_our_page
from payments.pages.visitors import surface_of
from payments.settlement import reconcile, turns
from payments.settlement.rules import UNDECIDED
from payments.share import text as sharing

ASKED_EVERY = 2
"""Seconds between two questions to a wallet about one payment, however often its payer looks."""
ASKED_AN_HOUR = 40


def _payment(token: str) -> Payment:
    known = Payment.objects.select_related("account", "merchant", "request__order", "request__merchant")
    return get_object_or_404(known, token=token)


@page("GET")
def show(request: HttpRequest, token: str) -> HttpResponse:
    """The payment, wherever it stands; what went back is on it too."""
    return draw(request, token)


def draw(request: HttpRequest, token: str, *, status: int = 200, **more: Any) -> HttpResponse:
    """The receipt, with whatever has to be said on it."""
    given = context.receipt_page(_payment(token)) | {"page": reverse("receipt", args=[token])}
    given |= {"mail_form": AddressForm(auto_id="mail_%s"), **more}
    return render(request, "payments/receipt.html", given, status=status)


@csrf_exempt
@page("GET", "POST")
@waits_for_wallet()
def check(request: HttpRequest, token: str) -> HttpResponse:
    """Ask the wallet now, as often as a person would. Decides nothing by itself, so the address is proof enough; it
    runs where a wallet that does not answer holds up nobody. GET leads to the receipt.
    """
    payment = _payment(token)
    if request.method == "POST" and payment.status in UNDECIDED and from_our_page(request):
        (asked, _seconds), (today, _left) = (
            *ratelimit.count(f"asked:{payment.pk}", window=ASKED_EVERY),
            *ratelimit.count(f"asked-long:{payment.pk}", window=3600),
        )
        if asked <= 1 and today <= ASKED_AN_HOUR:
            reconcile.ask(payment.pk)
    return SeeOther(reverse("receipt", args=[token]))


@page("GET")
def back(request: HttpRequest, token: str) -> HttpResponse:
    """Back from the wallet by its own "cancel": to where she chose, and may choose again."""
    to = context.back_url(_payment(token))
    return saying(SeeOther(to), "unpaid")


@page("GET")
def scan(request: HttpRequest, token: str) -> HttpResponse:
    """The wallet's code, or its sheet; once that is decided, the receipt."""
    payment = _payment(token)
    if payment not in turns.wanted(payment.request, clock.now()):
        return SeeOther(reverse("receipt", args=[token]))
    params = json.dumps(payment.next_step.get("params") or {})
    given = context.scan_page(payment, surface_of(request)) | {"page": request.path, "params": params}
    return leading.to_wallets(render(request, "payments/scan.html", given), payment.request.order)


@page("GET")
def scan_qr(request: HttpRequest, token: str) -> HttpResponse:
    """The wallet's code as a picture."""
    code = _payment(token).next_step.get("code")
    if not code:
        raise Http404
    return HttpResponse(sharing.code_svg(code), content_type="image/svg+xml")
