"""Links and codes of a request: QR code and poster, its state as JSON, and the page for a typed share code."""

import hashlib

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from friendpay.kit import counters, limits
from friendpay.kit.errors import Refused
from friendpay.kit.networks import neighbourhood_of, network_of
from friendpay.kit.pages import SeeOther, page
from payments.models import PaymentRequest
from payments.pages import ahead
from payments.pages.forms import CodeForm
from payments.pages.refusals import refusals_on, taken
from payments.pages.small_pages import draw_open
from payments.share import codes, drawing, text
from payments.share.poster import svg as poster_svg


def _payment_request(token: str) -> PaymentRequest:
    return get_object_or_404(PaymentRequest, token=token)


@page("GET")
def status(request: HttpRequest, token: str) -> HttpResponse:
    """What the socket would say."""
    shown = ahead.state(request, token)
    if shown is None:
        raise Http404
    content, tag = ahead.tagged(shown)
    if tag in request.headers.get("If-None-Match", ""):
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(content, content_type="application/json")
    response["ETag"] = tag
    return response


@page("GET")
def qr_svg(request: HttpRequest, token: str) -> HttpResponse:
    """The link as a QR code. It never changes."""
    return _picture(text.qr_svg(_payment_request(token)), "image/svg+xml")


@page("GET")
def qr_png(request: HttpRequest, token: str) -> HttpResponse:
    """The same for messengers that take no SVG."""
    return _picture(text.qr_png(_payment_request(token)), "image/png")


def _picture(body: str | bytes, content_type: str) -> HttpResponse:
    return HttpResponse(body, content_type=content_type, headers={"Cache-Control": "private, max-age=86400, immutable"})


@page("GET")
def poster(request: HttpRequest, token: str) -> HttpResponse:
    """A picture with the link's code for messengers and walls; `goods` and `amount` say what else is on it,
    `save` that it is to be kept.
    """
    payment_request = get_object_or_404(PaymentRequest.objects.select_related("order", "merchant"), token=token)
    network = network_of(request)
    near = counters.count(f"poster:{network}", window=limits.POSTERS_SECONDS)[0][0] if network else 0
    if near > limits.POSTERS_OF_A_NETWORK:
        return render(request, "429.html", status=429)
    svg = poster_svg(payment_request, goods="goods" in request.GET, amount="amount" in request.GET)
    tag = f'"{hashlib.sha256(svg.encode()).hexdigest()[:20]}"'
    if tag in request.headers.get("If-None-Match", ""):
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(drawing.png(svg), content_type="image/png")
    response["ETag"] = tag
    if "save" in request.GET:
        response["Content-Disposition"] = 'attachment; filename="friendpay.png"'
    return response


@page("GET", "POST")
@refusals_on(draw_open)
def open_code(request: HttpRequest) -> HttpResponse:
    """Type a share code, or paste the message it came in. Whoever guesses has to wait."""
    if request.method != "POST":
        return draw_open(request)
    typed = taken(request, CodeForm(request.POST))["text"]
    payment_request = codes.look_up(typed, network=network_of(request), neighbourhood=neighbourhood_of(request))
    if payment_request is None:
        words = _("We can't find an open request for that code. Please check it against the message.")
        raise Refused("unknown_code", words, field="text", status=422)
    return SeeOther(reverse("friend", args=[payment_request.token]))
