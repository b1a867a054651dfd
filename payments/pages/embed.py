"""The buyer's share sheet inside a shop's own page, in a frame that only the origins the shop registered may show.

A frame on another site gets no cookies, so nothing here needs any: the address, which only the buyer and the shop know,
is the proof that a CSRF token would be.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt

from friendpay.kit.csp import framed_by
from friendpay.kit.errors import Refused
from friendpay.kit.languages import speak
from friendpay.kit.networks import network_of
from friendpay.kit.pages import SeeOther, page
from orders.allowed_origins import registered
from orders.models import Order
from payments.pages import context
from payments.pages.visitors import surface_of
from payments.settlement import asking


def _order(request: HttpRequest, token: str) -> Order:
    """The order, whose language its pages speak."""
    order = get_object_or_404(Order.objects.select_related("merchant"), token=token)
    speak(request, order.locale)
    return order


@csrf_exempt
@xframe_options_exempt
@page("GET", "POST")
def sheet(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the sheet and writes nothing; POST asks a friend, once. `origin` is the page around it."""
    order = _order(request, token)
    origin = registered(request.GET.get("origin", ""), order.merchant.embed_origins)
    refusal: object = ""
    status = 200
    if request.method == "POST":
        try:
            asking.ask(order, surface_of(request), network_of(request))
            return _framed(SeeOther(request.get_full_path()), origin)
        except Refused as refused:
            refusal, status = refused.message, refused.status
    given = context.buyer_page(order, "", surface_of(request))
    given |= {"page": request.get_full_path(), "origin": origin, "stage": _stage(given), "refusal": refusal}
    given["at_once"] = not refusal and given["payment_request"] is None and given.get("may_ask")
    return _framed(render(request, "payments/embed.html", given, status=status), origin)


@page("GET")
def about(request: HttpRequest, token: str) -> HttpResponse:
    """What the button says and whether the sheet may be opened in place, for a page of a registered origin alone."""
    order = _order(request, token)
    origin = registered(request.headers.get("Origin", ""), order.merchant.embed_origins)
    if not origin:
        return JsonResponse({"code": "origin_not_registered"}, status=403, headers={"Vary": "Origin"})
    given = context.buyer_page(order, "", surface_of(request))
    stage = _stage(given)
    opens = stage in ("asked", "paying") or bool(given.get("may_ask"))
    label = _("Paid") if stage == "paid" else _("Ask a friend to pay") if opens else _("Pay now")
    told = {"stage": stage, "opens": opens, "label": label, "close": _("Close")}
    return JsonResponse(told, headers={"Access-Control-Allow-Origin": request.headers["Origin"], "Vary": "Origin"})


def _stage(given: dict[str, Any]) -> str:
    """How far it is, in one word for the shop's page: ready, asked, paying, paid, expired or cancelled."""
    if given["state"] == "waiting":
        return "paying" if given["live"]["holders"] else "asked"
    return given["ended"] or "ready" if given["state"] == "choose" else str(given["state"])


def _framed(response: HttpResponse, origin: str) -> HttpResponse:
    response["Content-Security-Policy"] = framed_by(origin)
    return response
