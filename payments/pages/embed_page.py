"""The buyer's share sheet in a frame, and how far it is in one word for the shop's page around it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from django.http import HttpRequest, HttpResponse

from friendpay.kit.csp import framed_by
from friendpay.kit.languages import speak
from friendpay.kit.rendering import draw as draw_page
from orders.allowed_origins import registered
from payments.pages import buyer_page
from payments.pages.buyer_page import BuyerPage, State
from payments.pages.buyer_reading import Reading, read
from payments.pages.refusals import NOTHING, Told
from payments.pages.visitors import surface_of


class Step(StrEnum):
    """How far it is. This is told to shops' pages."""

    READY = "ready"
    ASKED = "asked"
    PAYING = "paying"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class EmbedPage(BuyerPage):
    """The sheet. `origin` is the page around it, "" where that may not show it; `at_once`: the tap on the shop's own
    button was to ask a friend, and the script sends that.
    """

    template: ClassVar[str] = "buyer/embed.html"

    origin: str

    @property
    def step(self) -> Step:
        if self.state is State.WAITING:
            return Step.PAYING if self.live and self.live.holder else Step.ASKED
        return Step(self.ended or Step.READY) if self.state is State.CHOOSE else Step(self.state)

    @property
    def opens(self) -> bool:
        """Whether there is something to do in it."""
        return self.step in (Step.ASKED, Step.PAYING) or bool(self.ways and self.ways.may_ask)

    @property
    def at_once(self) -> bool:
        return bool(not self.refusal and not self.token and self.ways and self.ways.may_ask)

    @property
    def can_act(self) -> bool:
        return False  # one column, whatever can be done


def draw(request: HttpRequest, token: str, *, told: Told = NOTHING) -> HttpResponse:
    """The sheet, for the page that `origin` in its address names."""
    reading = read(token, "")
    page = build(request, reading, request.GET.get("origin", ""), told)
    return framed(draw_page(request, page, status=told.status), page.origin)


def build(request: HttpRequest, reading: Reading, origin: str, told: Told = NOTHING) -> EmbedPage:
    speak(request, reading.order.locale)
    return buyer_page.build(
        EmbedPage,
        reading,
        surface_of(request),
        told,
        url=request.get_full_path(),
        origin=registered(origin, reading.order.merchant.embed_origins),
    )


def framed(response: HttpResponse, origin: str) -> HttpResponse:
    """An answer that this origin alone may show in a frame."""
    response["Content-Security-Policy"] = framed_by(origin)
    return response
