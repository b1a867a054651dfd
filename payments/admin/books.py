"""The desk's page of the books: the settlement report of some days, and what can be had as a file."""

import gzip
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import timedelta
from typing import IO, Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget

from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import Panel, money
from friendpay.admin_kit.reauthentication import requires_password
from friendpay.kit import clock, limits
from orders import access, scope
from orders.models import Access
from payments.admin.shop_choice import ShopField
from payments.books import days, exports, settlement_report
from payments.models import Movement
from payments.offers.weighing import LABELS

EXPORT = "payments.export_movement"
_MODES = {"live": gettext_lazy("live"), "test": gettext_lazy("test")}


class BooksForm(forms.Form):
    since = forms.DateField(label=gettext_lazy("First day"), widget=UnfoldAdminSingleDateWidget)
    until = forms.DateField(label=gettext_lazy("Last day"), widget=UnfoldAdminSingleDateWidget)
    zone = forms.ChoiceField(
        label=gettext_lazy("Days of"),
        choices=lambda: [
            (days.WALLETS_OWN, gettext_lazy("each wallet's own")),
            *((name, name) for name in days.zones()),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    mode = forms.ChoiceField(label=gettext_lazy("Mode"), choices=list(_MODES.items()), widget=UnfoldAdminSelectWidget)
    shop = ShopField()

    def __init__(self, data: Any, user: Any) -> None:
        super().__init__(data)
        self.shops = scope.shops_of(user)
        cast(ShopField, self.fields["shop"]).offer_to(user)

    def clean(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        if "since" in chosen and "until" in chosen:
            length = chosen["until"] - chosen["since"]
            if not timedelta() <= length < timedelta(days=limits.EXPORT_DAYS):
                raise ValidationError(_("Choose a last day that is not before the first, within a year of it."))
        return chosen

    def scope(self) -> days.Scope:
        """What was chosen, within what this login may read."""
        chosen = self.cleaned_data
        shops = [chosen["shop"].pk] if chosen["shop"] else None if self.shops is None else sorted(self.shops)
        zone = days.zone_of(chosen["zone"])
        return days.Scope(chosen["since"], chosen["until"], zone, shops, live=chosen["mode"] == "live")


@admin.register(Movement)
class BooksAdmin(SupportAdmin[Movement]):
    """No rows are shown: their sums, and all of them as a file."""

    of_shop = "payment__merchant"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._file(request) if request.method == "POST" else self._report(request)

    def has_view_permission(self, request: HttpRequest, obj: Movement | None = None) -> bool:
        return obj is None and super().has_view_permission(request)

    def _report(self, request: HttpRequest) -> HttpResponse:
        yesterday = (clock.now() - timedelta(days=1)).date().isoformat()
        asked = {"since": yesterday, "until": yesterday, "zone": days.WALLETS_OWN, "mode": "live", **request.GET.dict()}
        return self._page(request, BooksForm(asked, request.user))

    @requires_password
    def _file(self, request: HttpRequest) -> HttpResponse:
        """An export, as a file; who asked for what is on record before it is read."""
        form = BooksForm(request.POST, request.user)
        name = request.POST.get("export", "")
        if not request.user.has_perm(EXPORT):
            raise PermissionDenied
        if name not in exports.names() or not form.is_valid():
            return self._page(request, form, status=422)
        chosen, asked = form.cleaned_data, form.scope()
        about = f"{name} {asked.since} {asked.until} {chosen['zone']} {chosen['mode']}"
        shop = chosen["shop"]
        access.note(request.user.get_username(), Access.Kind.EXPORT, about, merchant_id=shop.pk if shop else None)
        return csv_file(request, f"{name}-{asked.since}.csv", exports.text(name, asked))

    def _page(self, request: HttpRequest, form: BooksForm, status: int = 200) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": _("Books"), "form": form}
        if form.is_valid():
            context["panels"] = [report_panel(settlement_report.report(form.scope()))]
            context["asked"] = [(name, form.data.get(name, "")) for name in form.fields]
        if request.user.has_perm(EXPORT):
            context["exports"] = exports.EXPORTS
            context["settlement"] = exports.SETTLEMENT
        return TemplateResponse(request, "payments/admin/books.html", context, status=status)


def report_panel(lines: Sequence[settlement_report.Line]) -> Panel:
    headers = (
        _("Shop"),
        _("Method"),
        _("Opening"),
        _("Taken"),
        _("Counts"),
        _("Refunded"),
        _("Surplus returned"),
        _("Disputed"),
        _("Fees"),
        _("Closing"),
    )
    names = ("opening", "captured", "applied", "refunded", "returned", "disputed", "fees", "closing")
    rows = [
        (
            line.shop_name,
            LABELS.get(line.method, line.method),
            *(money(getattr(line, name), line.currency) for name in names),
        )
        for line in lines
    ]
    return Panel(_("Settlement report"), headers, rows)


def csv_file(request: HttpRequest, name: str, pieces: Iterator[str]) -> HttpResponse:
    """Written to a file first, so that nobody's slow line holds a cursor or a thread, and memory stays as it is."""
    spool: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the answer
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    with gzip.GzipFile(fileobj=spool, mode="wb", compresslevel=1) if packed else nullcontext(spool) as file:
        for piece in pieces:
            file.write(piece.encode())
    spool.seek(0)
    response = FileResponse(spool, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")
    if packed:
        response["Content-Encoding"] = "gzip"
    return cast(HttpResponse, response)
