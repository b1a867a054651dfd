"""The 404 page, and links that a message has spoilt: they lead to the page they meant."""

import re
import unicodedata
from urllib.parse import unquote

from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.defaults import page_not_found

from friendpay.kit import ids
from friendpay.kit.characters import invisible
from orders.models import Order
from payments.models import Payment
from payments.share import codes

_OPEN = re.compile(r"/+open(?![0-9a-z])", re.IGNORECASE)
_OTHERS: dict[str, tuple[type[Model], str]] = {
    "checkout": (Order, "buyer"),
    "r": (Payment, "receipt"),
    "pay": (Payment, "scan"),
}
_OTHER = re.compile(rf"/+({'|'.join(_OTHERS)})/+([0-9A-Za-z]{{{ids.TOKEN_SYMBOLS}}})", re.IGNORECASE)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Lead who followed a link that a message has spoilt to its page: a bracket or a full stop behind it, doubled
    slashes, capitals, words that stick to it, the whole link behind our own address. All others read that nothing is
    here.
    """
    if request.method in ("GET", "HEAD") and (page := _meant(request)):
        return HttpResponseRedirect(page)
    return page_not_found(request, exception)


def _meant(request: HttpRequest) -> str:
    """The page an address means, "" where there is none, or where the address was understood and led nowhere."""
    path = unicodedata.normalize("NFKC", unquote(request.path_info))
    path = "".join(sign for sign in path if not invisible(sign) and not sign.isspace())
    known = request.resolver_match.kwargs.get("token") if request.resolver_match else None
    if found := _OTHER.match(path):
        token, (model, name) = found[2], _OTHERS[found[1].lower()]
        is_there = token != known and model._default_manager.filter(token=token).exists()
        return reverse(name, args=[token]) if is_there else ""
    if (payment_request := codes.by_link(path)) and payment_request.token != known:
        return reverse("friend", args=[payment_request.token])
    return reverse("open") if _OPEN.match(path) else ""
