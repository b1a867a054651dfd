"""Pages with one question: a share code, a report, no more mail."""

from dataclasses import dataclass
from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from friendpay.kit.pages import said
from friendpay.kit.rendering import Page
from friendpay.kit.rendering import draw as draw_page
from payments.models import PaymentRequest, Report
from payments.pages.fields import Field, empty, field
from payments.pages.forms import CodeForm, ReportForm
from payments.pages.frame import LivePage, Shop
from payments.pages.refusals import NOTHING, Told


@dataclass(frozen=True, kw_only=True)
class OpenPage(Page):
    """Asks for a share code."""

    template: ClassVar[str] = "open.html"

    text: Field


def draw_open(request: HttpRequest, *, told: Told = NOTHING) -> HttpResponse:
    form = told.form_or(CodeForm())
    text = field(form, "text") if form.is_bound else empty(CodeForm, "text")
    return draw_page(request, OpenPage(url=reverse("open"), text=text), status=told.status)


@dataclass(frozen=True, kw_only=True)
class ReportPage(LivePage):
    """Asks what is wrong with a request; `is_sent` thanks for having told us."""

    template: ClassVar[str] = "report.html"

    is_sent: bool
    reasons: tuple[tuple[str, str], ...]
    chosen: str
    error: str
    words: Field


def draw_report(request: HttpRequest, token: str, *, told: Told = NOTHING) -> HttpResponse:
    """The form, with what it has to say of what was sent."""
    payment_request = get_object_or_404(PaymentRequest.objects.select_related("order", "merchant"), token=token)
    form = told.form_or(ReportForm())
    page = ReportPage(
        url=reverse("report", args=[token]),
        accent=payment_request.merchant.accent,
        token=token,
        shop=Shop.of(payment_request.merchant),
        buyer=payment_request.order.buyer_name,
        refusal=told.above("reason", "words"),
        is_sent=said(request) == "reported",
        reasons=tuple((key, str(label)) for key, label in Report.Reason.choices),
        chosen=str(form["reason"].value() or ""),
        error=" ".join(map(str, form["reason"].errors)),
        words=field(form, "words") if form.is_bound else empty(ReportForm, "words"),
    )
    return draw_page(request, page, status=told.status)


@dataclass(frozen=True, kw_only=True)
class StopMailPage(Page):
    """Asks whether no more mail shall go to an address, and says that it does not."""

    template: ClassVar[str] = "stop_mail.html"

    stopped: bool
