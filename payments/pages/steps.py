"""What only a browser knows: that a person, and not a messenger's preview, looks at a page; that a link was shared.

Nothing here needs a cookie, so none proves anything: the address is the proof, and browsers that say where a call comes
from must say that it is from a page of ours.
"""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt

from friendpay.kit.pages import page
from payments.funnel import steps
from payments.models import PaymentRequest
from payments.pages.visitors import surface_of
from payments.settlement import requests


@csrf_exempt
@page("POST")
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """A person looks at the friend's page, or with `choosing` does something there. Said by a script, never by loading
    the page.
    """
    payment_request = get_object_or_404(PaymentRequest, token=token)
    if not from_our_page(request):
        return HttpResponse(status=403)
    requests.record_view(payment_request, choosing="choosing" in request.POST, surface=surface_of(request).place)
    return HttpResponse(status=204)


@csrf_exempt
@page("POST")
def step(request: HttpRequest, token: str) -> HttpResponse:
    """The buyer shared the link, or sees that it is paid: for the friction meter. That it was shared is stored when
    this is answered, for the buyer's page is drawn anew then and says so.
    """
    payment_request = get_object_or_404(PaymentRequest, token=token)
    if not from_our_page(request):
        return HttpResponse(status=403)
    surface = surface_of(request).place
    if "shared" in request.POST:
        with transaction.atomic():
            steps.record(steps.Kind.SHARE_INVOKED, payment_request, surface=surface)
    if "saw" in request.POST and payment_request.paid_at:
        steps.record(steps.Kind.BUYER_SAW_PAID, payment_request, surface=surface)
    return HttpResponse(status=204)


def from_our_page(request: HttpRequest) -> bool:
    """Whether a call came from a page of ours, as far as the browser says."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
