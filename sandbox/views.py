"""The payer's page of the sandbox wallet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from friendpay.kit.rendering import Page, draw
from friendpay.kit.waiting import waits_for_wallet
from sandbox import amounts, bank, notices

_ACTIONS: Mapping[str, Callable[[str], bank.ChargeDetails]] = {
    "approve": bank.approve,
    "refuse": bank.refuse,
    "approve-untold": partial(bank.approve, tell=False),
    "approve-late": partial(bank.approve, late=True),
    "tell-again": bank.notify_again,
}


@dataclass(frozen=True, kw_only=True)
class WalletPage(Page):
    """The charge, as its payer sees it."""

    template: ClassVar[str] = "sandbox/wallet.html"

    status: str
    amount: str
    subject: str
    return_url: str


class SeeOther(HttpResponseRedirect):
    status_code = 303


@waits_for_wallet("POST", lane="sandbox")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def wallet(request: HttpRequest, ref: str) -> HttpResponse:
    """GET shows the charge and writes nothing; POST decides it, tells the shop, and sends the payer back. Who knows
    `ref` is the payer.

    A repeated POST finds the decision made and goes back all the same; one that comes too late sees so, with 409.
    """
    status = 200
    act = _ACTIONS.get(request.POST.get("action", ""))
    if act:
        try:
            with notices.at_once():
                return SeeOther(act(ref).return_url)
        except bank.Rejected:
            status = 409
    charge = bank.view(ref)
    if charge is None:
        raise Http404
    if request.method == "POST" and not act:
        raise BadRequest
    page = WalletPage(
        url=request.path,
        status=charge.status,
        amount=amounts.text(charge.amount, charge.currency, charge.exponent),
        subject=charge.subject,
        return_url=charge.return_url,
    )
    return draw(request, page, status=status)
