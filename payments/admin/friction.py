"""The friction meter: how far requests come, where they are left, and who is busy or waits how long."""

from dataclasses import dataclass
from datetime import timedelta
from math import log
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import Panel
from friendpay.kit import clock
from payments.admin.shop_choice import ShopField
from payments.funnel import report
from payments.funnel.report import Report, Span
from payments.models import Step
from payments.offers.weighing import LABELS

DAYS = {7: gettext_lazy("7 days"), 30: gettext_lazy("30 days"), 90: gettext_lazy("90 days")}
SPANS = {
    "buyer": (gettext_lazy("Buyer busy"), gettext_lazy("from tapping “Ask a friend” to sharing")),
    "waiting": (gettext_lazy("Waiting"), gettext_lazy("from sharing to a person opening the link")),
    "friend": (gettext_lazy("Friend busy"), gettext_lazy("from opening the link to the wallet")),
    "lag": (
        gettext_lazy("Until the buyer saw it"),
        gettext_lazy("from the wallet's word to the buyer's eyes"),
    ),
}
ROW = 56  # the height of a row of a plot
_LEAST, _MOST = 0.1, 10 * 86400.0
_TICKS = (1, 10, 60, 600, 3600, 86400)


@dataclass(frozen=True)
class Bar:
    """A row of the funnel; widths are percents of the first step."""

    label: str
    said: str
    top: int
    width: float
    before: float


@dataclass(frozen=True)
class Range:
    """A row of the times: places on a logarithmic line, in percent."""

    label: str
    about: str
    said: str
    top: int
    median: float
    p95: float

    @property
    def length(self) -> float:
        return self.p95 - self.median


class MeterForm(forms.Form):
    shop = ShopField()
    method = forms.ChoiceField(
        label=gettext_lazy("Wallet"),
        choices=[("", gettext_lazy("All wallets")), *LABELS.items()],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    days = forms.TypedChoiceField(
        label=gettext_lazy("Days"), choices=list(DAYS.items()), coerce=int, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, data: Any, user: Any) -> None:
        super().__init__(data)
        cast(ShopField, self.fields["shop"]).offer_to(user)


@admin.register(Step)
class StepAdmin(SupportAdmin[Step]):
    """No rows are shown: only what all of them say together."""

    of_shop = "merchant"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = {"days": 30, **request.GET.dict()}
        form = MeterForm(asked, request.user)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Friction meter"),
            "form": form,
        }
        if form.is_valid():
            chosen = form.cleaned_data
            since = clock.now() - timedelta(days=chosen["days"])
            shops = frozenset([chosen["shop"].pk]) if chosen["shop"] else self.shops(request)
            found = report.report(since, shops=shops, method=chosen["method"])
            context["total"] = found.total
            if found.total:
                context |= {"bars": bars(found), "ranges": ranges(found), "ticks": ticks(), "panels": panels(found)}
                context |= {"bars_height": ROW * len(found.stages), "ranges_height": ROW * len(found.spans)}
        return TemplateResponse(request, "payments/admin/friction.html", context)


def bars(found: Report) -> list[Bar]:
    """The funnel. What was lost since the step before is drawn behind each bar."""
    rows, before = [], 100.0
    for place, stage in enumerate(found.stages):
        width = 100 * stage.reached / found.total
        rows.append(Bar(str(stage.kind.label), f"{stage.reached} · {width:.0f}%", ROW * place, width, before))
        before = width
    return rows


def ranges(found: Report) -> list[Range]:
    """The times of which anything is known, from the median to the 95th percentile."""
    rows = []
    for place, span in enumerate(found.spans):
        label, about = map(str, SPANS[span.name])
        rows.append(Range(label, about, said(span), ROW * place, across(span.median), across(span.p95)))
    return rows


def ticks() -> list[tuple[str, float]]:
    return [(duration(seconds), across(seconds)) for seconds in _TICKS]


def panels(found: Report) -> list[Panel]:
    """The same in figures."""
    steps = [
        (stage.kind.label, stage.reached, f"{100 * stage.reached / found.total:.0f}%", stage.left, stage.waiting)
        for stage in found.stages
    ]
    times = [
        (SPANS[span.name][0], SPANS[span.name][1], duration(span.median), duration(span.p95), span.count)
        for span in found.spans
    ]
    return [
        Panel(_("How far"), (_("Step"), _("Reached"), _("Of all"), _("Left here"), _("Still open")), steps),
        Panel(_("How long"), (_("Time"), _("Counted"), _("Median"), _("95 of 100 within"), _("Requests")), times),
    ]


def said(span: Span) -> str:
    if span.median is None:
        return _("nothing known yet")
    return _("%(median)s, mostly within %(p95)s") % {"median": duration(span.median), "p95": duration(span.p95)}


def across(seconds: float | None) -> float:
    """Where on the line, in percent."""
    if seconds is None:
        return 0
    return 100 * log(min(max(seconds, _LEAST), _MOST) / _LEAST) / log(_MOST / _LEAST)


def duration(seconds: float | None) -> str:
    """In the largest unit that fits, with two figures at most."""
    if seconds is None:
        return "–"
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.2g} {name}"
    return f"{seconds:.2g} s"
