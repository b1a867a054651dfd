"""The desk's pages of abuse reports, work until support decides, and of stopped buyers."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from friendpay.admin_kit.again import password_again
from friendpay.admin_kit.base import SupportAdmin, badge, link, minute, moment
from friendpay.admin_kit.confirm import actor, confirm
from payments.admin import search
from payments.models import PaymentRequest, Report, StoppedBuyer
from payments.settlement import abuse as reports


class OpenFilter(SimpleListFilter):
    title = _("state")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("to decide")), ("no", _("decided"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Report]) -> QuerySet[Report]:
        value = self.value()
        return queryset.filter(settled_at__isnull=value == "yes") if value in ("yes", "no") else queryset


@admin.register(Report)
class ReportAdmin(SupportAdmin):
    """A report accuses nobody: support looks at the request, and decides here."""

    list_display = ("reason", "state", "request_link", "buyer", "merchant", "created")
    list_filter = (OpenFilter, "reason")
    search_fields = ("request__order__reference", "request__order__buyer_name", "words")
    search_help_text = _("Order number, buyer's name, link, code or words")
    actions_detail = ("nothing_wrong", "stop_buyer", "freeze_shop")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("reason", "state", "created"),
                    ("request_link", "buyer", "shop"),
                    "words",
                    ("others", "decided"),
                )
            },
        ),
    )

    def find(self, text: str) -> Q | None:
        return Q(request__in=PaymentRequest.objects.filter(search.find(text).as_requests()))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        return super().get_queryset(request).select_related("request__order", "merchant")

    def can(self, action: str, report: Any) -> bool:
        if report.settled_at:
            return False
        return action != "stop_buyer" or bool(report.request.order.buyer_id)

    @action(
        description=_("Nothing wrong"),
        url_path="nothing-wrong",
        permissions=["payments.change_report"],
        icon="task_alt",
        variant=ActionVariant.PRIMARY,
    )
    def nothing_wrong(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(report: Report) -> str:
            reports.settle(report)
            return gettext("The report was decided: nothing wrong.")

        return self._decide(
            request,
            object_id,
            do,
            title=gettext("Decide that nothing is wrong"),
            text=gettext("Nothing is changed by this. All reports of the same request are decided with it."),
            button=gettext("Nothing is wrong"),
            danger=False,
        )

    @action(
        description=_("Stop the buyer"),
        url_path="stop-buyer",
        permissions=["payments.add_stoppedbuyer"],
        icon="person_off",
        variant=ActionVariant.DANGER,
    )
    @password_again
    def stop_buyer(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(report: Report) -> str:
            reports.stop_buyer(report, actor=actor(request))
            return gettext("The buyer was stopped: %(name)s") % {"name": report.request.order.buyer_name}

        return self._decide(
            request,
            object_id,
            do,
            title=gettext("Stop the buyer"),
            text=gettext(
                "The buyer cannot ask friends at this shop any more; open requests are cancelled, and what friends "
                "gave goes back to them. The buyer's page says so kindly and names the shop's contact."
            ),
            button=gettext("Stop the buyer"),
        )

    @action(
        description=_("Freeze the shop"),
        url_path="freeze-shop",
        permissions=["orders.change_merchant"],
        icon="ac_unit",
        variant=ActionVariant.DANGER,
    )
    def freeze_shop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(report: Report) -> str:
            reports.freeze_shop(report)
            return gettext("The shop was frozen: %(name)s") % {"name": report.merchant.name}

        return self._decide(
            request,
            object_id,
            do,
            title=gettext("Freeze the shop"),
            text=gettext(
                "Nothing new can be asked for or paid at this shop, by anybody. Refunds and checks go on. It can be "
                "undone on the shop's page."
            ),
            button=gettext("Freeze the shop"),
        )

    def _decide(self, request: HttpRequest, object_id: str, do: Callable[[Report], str], **words: Any) -> HttpResponse:
        report = self.get_object(request, object_id)
        if report is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return confirm(self, request, report, lambda _data: do(report), **words)

    @admin.display(description=_("State"))
    def state(self, report: Report) -> SafeString:
        return badge(report.get_outcome_display(), "success") if report.settled_at else badge(_("to decide"), "danger")

    @admin.display(description=_("Payment request"))
    def request_link(self, report: Report) -> SafeString:
        return link(report.request, report.request.order.reference)

    @admin.display(description=_("Buyer"))
    def buyer(self, report: Report) -> str:
        return report.request.order.buyer_name

    @admin.display(description=_("Shop"))
    def shop(self, report: Report) -> SafeString:
        return link(report.merchant)

    @admin.display(description=_("Others of the same request"))
    def others(self, report: Report) -> int:
        return Report.objects.filter(request=report.request_id).exclude(pk=report.pk).count()

    @admin.display(description=_("Created (UTC)"), ordering="id")
    def created(self, report: Report) -> Any:
        return minute(report.created_at)

    @admin.display(description=_("Decided (UTC)"))
    def decided(self, report: Report) -> Any:
        return moment(report.settled_at)


@admin.register(StoppedBuyer)
class StoppedBuyerAdmin(SupportAdmin):
    """Buyers who cannot ask friends, until they may again."""

    list_display = ("buyer_name", "buyer_id", "merchant", "since")
    list_select_related = ("merchant",)
    search_fields = ("buyer_name", "buyer_id")
    search_help_text = _("Buyer's name or id")
    actions_detail = ("let_ask",)
    fieldsets = ((None, {"fields": (("buyer_name", "buyer_id"), ("merchant", "since"))}),)

    @action(
        description=_("Let ask again"),
        url_path="let-ask",
        permissions=["payments.delete_stoppedbuyer"],
        icon="person_check",
        variant=ActionVariant.PRIMARY,
    )
    def let_ask(self, request: HttpRequest, object_id: str) -> HttpResponse:
        stopped = self.get_object(request, object_id)
        if stopped is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        pk = stopped.pk

        def do(_data: dict[str, Any]) -> str:
            reports.let_ask(stopped)
            stopped.pk = pk  # the log names it
            return gettext("The buyer may ask friends again: %(name)s") % {"name": stopped}

        answer = confirm(
            self,
            request,
            stopped,
            do,
            title=gettext("Let the buyer ask friends again"),
            text=gettext("Requests that were cancelled stay so; the buyer can open new ones."),
            button=gettext("Let ask again"),
            danger=False,
        )
        done = isinstance(answer, HttpResponseRedirect)
        return HttpResponseRedirect(reverse("admin:payments_stoppedbuyer_changelist")) if done else answer

    @admin.display(description=_("Since (UTC)"), ordering="id")
    def since(self, stopped: StoppedBuyer) -> Any:
        return minute(stopped.stopped_at)
