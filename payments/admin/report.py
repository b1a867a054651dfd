"""The desk's pages of abuse reports, work until support decides, and of stopped buyers."""

from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit import filters
from friendpay.admin_kit.acts import PRIMARY, Act
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import Panel, badge, link, moment
from friendpay.admin_kit.columns import Column
from payments.admin import case, case_acts, parts, search
from payments.admin.story import Story
from payments.models import PaymentRequest, Report, StoppedBuyer
from payments.settlement import abuse

IS_OPEN = filters.choice(
    _("state"), "open", {"yes": (_("to decide"), Q(settled_at=None)), "no": (_("decided"), Q(settled_at__isnull=False))}
)


def _state(report: Report) -> SafeString:
    return badge(report.get_outcome_display(), "success") if report.settled_at else badge(_("to decide"), "danger")


def _others(report: Report) -> int:
    return Report.objects.filter(request=report.request_id).exclude(pk=report.pk).count()


def _of_order(name: str, **own: Any) -> Act[Report]:
    """What support does about a case, which decides the report as well."""
    return replace(case_acts.about(case_acts.OF_ORDER[name], lambda report: report.request.order), **own)


@admin.register(Report)
class ReportAdmin(SupportAdmin[Report]):
    """A report accuses nobody: support looks at the request, and decides here."""

    of_shop = "merchant"
    list_display = ("reason", "state", "request_link", "buyer", "merchant", "created")
    list_filter = (IS_OPEN, "reason")
    search_fields = ("request__order__reference", "request__order__buyer_name", "words")
    search_help_text = _("Order number, buyer's name, link, code or words")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("reason", "state", "created"),
                    ("request_link", "buyer", "shop"),
                    ("words", "message"),
                    ("others", "decided"),
                )
            },
        ),
    )

    columns = {
        "state": Column(_("State"), _state),
        "request_link": Column(
            _("Payment request"), lambda report: link(report.request, report.request.order.reference)
        ),
        "buyer": Column(_("Buyer"), lambda report: report.request.order.buyer_name),
        "shop": parts.SHOP,
        "message": Column(_("message"), lambda report: report.request.message),
        "others": Column(_("Others of the same request"), _others),
        "created": Column(_("Created"), lambda report: moment(report.created_at), "id"),
        "decided": Column(_("Decided"), lambda report: moment(report.settled_at)),
    }
    acts = {
        "nothing_wrong": Act(
            label=_("Nothing wrong"),
            rights=("payments.change_report",),
            icon="task_alt",
            colour=PRIMARY,
            when=lambda report: report.settled_at is None,
            title=_("Decide that nothing is wrong"),
            text=_("Nothing is changed by this. All reports of the same request are decided with it."),
            button=_("Nothing is wrong"),
            danger=False,
            do=lambda report, _data, _by: abuse.settle(report),
            done=_("The report was decided: nothing wrong."),
        ),
        "stop_buyer": _of_order(
            "stop_buyer",
            when=lambda report: report.settled_at is None and bool(report.request.order.buyer_id),
            do=lambda report, _data, by: abuse.stop_buyer(report, actor=by),
        ),
        "freeze_shop": _of_order(
            "freeze_shop",
            when=lambda report: report.settled_at is None,
            do=lambda report, _data, _by: abuse.freeze_shop(report),
        ),
    }

    def panels(self, report: Report) -> list[Panel]:
        """What was paid so far, and what else the buyer asked for: who decides need not look for it."""
        order = report.request.order
        story, related = Story.of(order), case.related_panel(order)
        return [parts.payments_panel(story.payments, story.refunds), *([related] if related else [])]

    def find(self, text: str) -> Q | None:
        return Q(request__in=PaymentRequest.objects.filter(search.named(text).as_requests()))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        return super().get_queryset(request).select_related("request__order", "merchant")


@admin.register(StoppedBuyer)
class StoppedBuyerAdmin(SupportAdmin[StoppedBuyer]):
    """Buyers who cannot ask friends, until they may again."""

    of_shop = "merchant"
    list_display = ("buyer_name", "buyer_id", "merchant", "since", "by")
    list_select_related = ("merchant",)
    search_fields = ("buyer_name", "buyer_id")
    search_help_text = _("Buyer's name or id")
    fieldsets = ((None, {"fields": (("buyer_name", "buyer_id"), ("merchant", "since", "by"))}),)
    columns = {"since": Column(_("Since"), lambda stopped: moment(stopped.stopped_at), "id")}
    acts = {
        "let_ask": Act(
            label=_("Let ask again"),
            rights=("payments.delete_stoppedbuyer",),
            icon="person_check",
            colour=PRIMARY,
            title=_("Let the buyer ask friends again"),
            text=_(
                "Requests that were cancelled stay so; the buyer can open new ones. Reports of this buyer are closed."
            ),
            button=_("Let ask again"),
            danger=False,
            do=lambda stopped, _data, _by: abuse.let_ask(stopped),
            done=lambda stopped, _result: gettext("The buyer may ask friends again: %(name)s.") % {"name": stopped},
            ends=True,
        )
    }
