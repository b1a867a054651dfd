"""The payer's own pages: the code to scan, and the receipt. Whoever has the payment's link is its payer."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from friendpay.kit import counters, limits
from friendpay.kit.pages import SeeOther, page, saying
from friendpay.kit.rendering import draw
from friendpay.kit.waiting import waits_for_wallet
from payments.models import Payment
from payments.pages import form_action, receipt_page, scan_page
from payments.pages.receipt_reading import read
from payments.pages.return_links import back_url
from payments.pages.steps import from_our_page
from payments.pages.visitors import surface_of
from payments.settlement import reconcile, requests, turns
from payments.settlement.rules import UNDECIDED
from payments.share import text


def _payment(token: str) -> Payment:
    known = Payment.objects.select_related("request__order")
    return get_object_or_404(known, token=token)


@page("GET")
def show(request: HttpRequest, token: str) -> HttpResponse:
    """The payment, wherever it stands; what went back is on it too."""
    return receipt_page.draw(request, token)


@csrf_exempt
@page("GET", "POST")
@waits_for_wallet()
def check(request: HttpRequest, token: str) -> HttpResponse:
    """Ask the wallet now, as often as a person would. Decides nothing by itself, so the address is proof enough; it
    runs where a wallet that does not answer holds up nobody. GET leads to the receipt.
    """
    payment = _payment(token)
    if request.method == "POST" and payment.status in UNDECIDED and from_our_page(request):
        (asked, _seconds), (within_hour, _left) = (
            *counters.count(f"asked:{payment.pk}", window=limits.RECEIPT_ASKS_SECONDS),
            *counters.count(f"asked-long:{payment.pk}", window=limits.HOUR_SECONDS),
        )
        if asked <= 1 and within_hour <= limits.RECEIPT_ASKS_AN_HOUR:
            reconcile.ask(payment.pk)
    return SeeOther(reverse("receipt", args=[token]))


@page("GET")
def back(request: HttpRequest, token: str) -> HttpResponse:
    """Back from the wallet by its own "cancel": to where she chose, and may choose again."""
    return saying(SeeOther(back_url(_payment(token))), "unpaid")


@page("GET")
def scan(request: HttpRequest, token: str) -> HttpResponse:
    """The wallet's code, or its sheet; once that is decided, the receipt."""
    reading = read(token)
    payment = reading.payment
    if not turns.among([payment], reading.now):
        return SeeOther(reverse("receipt", args=[token]))
    scan = scan_page.build(reading, surface_of(request), url=request.path)
    return form_action.to_wallets(draw(request, scan), payment.request.order)


@page("POST", of="scan")
def more_time(request: HttpRequest, token: str) -> HttpResponse:
    """She is still paying: more time, near the end of what she has. Leads back to where she tapped."""
    payment = _payment(token)
    requests.extend_payment(payment.pk)
    return SeeOther(reverse("scan", args=[token]) if "scan" in request.POST else back_url(payment))


@page("GET")
def scan_qr(request: HttpRequest, token: str) -> HttpResponse:
    """The wallet's code as a picture."""
    code = _payment(token).next_step.get("code")
    if not code:
        raise Http404
    return HttpResponse(text.code_svg(code), content_type="image/svg+xml")
