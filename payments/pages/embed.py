"""The buyer's share sheet inside a shop's own page, in a frame that only the origins the shop registered may show.

A frame on another site gets no cookies, so nothing here needs any: the address, which only the buyer and the shop know,
is the proof that a CSRF token would be.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt

from friendpay.kit.languages import speak
from friendpay.kit.networks import network_of
from friendpay.kit.pages import SeeOther, page
from orders.allowed_origins import registered
from orders.models import Order
from payments.pages import embed_page
from payments.pages.buyer_reading import read
from payments.pages.embed_page import Step
from payments.pages.refusals import refusals_on
from payments.pages.visitors import surface_of
from payments.settlement import asking


@csrf_exempt
@xframe_options_exempt
@page("GET", "POST")
@refusals_on(embed_page.draw)
def sheet(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the sheet and writes nothing; POST asks a friend, once. `origin` is the page around it."""
    if request.method != "POST":
        return embed_page.draw(request, token)
    order = get_object_or_404(Order.objects.select_related("merchant"), token=token)
    speak(request, order.locale)
    asking.ask(order, surface_of(request), network_of(request))
    origin = registered(request.GET.get("origin", ""), order.merchant.embed_origins)
    return embed_page.framed(SeeOther(request.get_full_path()), origin)


@page("GET")
def about(request: HttpRequest, token: str) -> HttpResponse:
    """What the button says and whether the sheet may be opened in place, for a page of a registered origin alone."""
    sheet = embed_page.build(request, read(token, ""), request.headers.get("Origin", ""))
    if not sheet.origin:
        return JsonResponse({"code": "origin_not_registered"}, status=403, headers={"Vary": "Origin"})
    label = _("Paid") if sheet.step is Step.PAID else _("Ask a friend to pay") if sheet.opens else _("Pay now")
    told = {"stage": sheet.step, "opens": sheet.opens, "label": label, "close": _("Close")}
    return JsonResponse(told, headers={"Access-Control-Allow-Origin": request.headers["Origin"], "Vary": "Origin"})
