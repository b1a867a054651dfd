"""Named shares as pages show them: who pays how much, and who has."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from friendpay.kit.money import Money
from payments.models import Payment, PaymentRequest
from payments.share import text


@dataclass(frozen=True)
class ShareRow:
    """One share. `number` counts from 1; `text` is what the buyer sends for it."""

    number: int
    name: str
    amount: Money
    is_paid: bool
    link: str
    text: str


def page_of(token: str, share: str) -> str:
    """The friend's page, of the share whose number a form or an address brought along, "" for all of them."""
    own = reverse("friend", args=[token])
    return f"{own}?{urlencode({'share': share})}" if share else own


def rows(request: PaymentRequest, paid: Iterable[Payment]) -> tuple[ShareRow, ...]:
    """Those of a request, `paid` being what counts towards it."""
    done = {payment.share for payment in paid if payment.amount_applied}
    return tuple(
        ShareRow(
            number=place + 1,
            name=share.name,
            amount=Money(share.amount, request.currency),
            is_paid=place in done,
            link=text.share_link(request, place),
            text=text.text_of_share(request, place),
        )
        for place, share in enumerate(request.named)
    )
