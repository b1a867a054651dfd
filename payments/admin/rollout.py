"""The desk's pages of rollout rules (who gets which method), and one to try them out."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from friendpay.admin_kit import filters
from friendpay.admin_kit.acts import deletes
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import Panel, badge, code, link
from friendpay.admin_kit.columns import Column
from friendpay.kit import clock
from payments.admin import trust
from payments.admin.rollout_forms import RuleForm, TryForm
from payments.models import RolloutRule
from payments.offers import weighing
from payments.offers.rollout import FRIEND, Case, percent
from payments.offers.surfaces import Surface
from payments.offers.trust import Measure, objection
from payments.offers.weighing import METHODS
from payments.wallets.about import LACKS

REASONS = {
    "account_disabled": _("The account at the wallet is switched off."),
    "account_is_for_live_orders": _("The account is for live orders, and this is a test."),
    "account_is_for_test_orders": _("The account is for test orders, and this is a live one."),
    "credentials_locked": _("The stored credentials cannot be read with the present keys. Please enter them again."),
    "currency_not_taken": _("The wallet does not take this currency."),
    "below_minimum": _("It is less than the smallest amount the wallet takes."),
    "amount_step": _("What is left to pay lies between two of the steps the wallet counts in."),
    "no_rail_here": _("There is no way to open this wallet on this screen."),
    **{code: _(words) for code, words in LACKS.items()},
}
"""What withholds a method where no rule does; what an account lacks is told by the wallets."""


def _narrows(rule: RolloutRule) -> str:
    """What the rule narrows by, in words."""
    conditions = {
        _("buyers"): rule.share < RolloutRule.WHOLE or rule.allowed_buyers or rule.denied_buyers,
        _("goods"): rule.excluded_categories,
        _("currency"): rule.currencies,
        _("amount"): rule.amount_currency,
        _("time"): rule.starts_at or rule.ends_at,
        _("screen"): rule.screens,
    }
    return ", ".join(str(what) for what, set_ in conditions.items() if set_)


def _state(rule: RolloutRule) -> SafeString:
    now = clock.now()
    if rule.starts_at and now < rule.starts_at:
        return badge(_("not yet"), "warning")
    return badge(_("over"), "warning") if rule.ends_at and now >= rule.ends_at else badge(_("on"), "success")


@admin.register(RolloutRule)
class RolloutRuleAdmin(SupportAdmin[RolloutRule]):
    """Rules can be added, changed and deleted: money that was asked for or paid does not depend on them."""

    of_shop = "merchant"
    form = RuleForm
    list_display = ("method_text", "merchant", "share_text", "narrows", "state", "note")
    list_filter = ("method", ("merchant", filters.ShopFilter))
    list_select_related = ("merchant",)
    search_fields = ("merchant__name", "note")
    search_help_text = _("Shop or note")
    autocomplete_fields = ("merchant",)
    actions_list = ("try_out",)
    fieldsets = (
        (None, {"fields": (("merchant", "method"), "note")}),
        (_("Buyers"), {"fields": ("share_percent", ("allowed_buyers", "denied_buyers"))}),
        (
            _("Orders"),
            {"fields": (("excluded_categories", "currencies"), ("amount_currency", "least", "most"))},
        ),
        (_("When and where"), {"fields": (("starts_at", "ends_at"), "screens")}),
    )

    columns = {
        "method_text": Column(_("Method"), lambda rule: str(METHODS.get(rule.method, rule.method)), "method"),
        "share_text": Column(_("Share of buyers"), lambda rule: percent(rule.share), "share"),
        "narrows": Column(_("Looks at"), _narrows),
        "state": Column(_("State"), _state),
    }

    acts = {
        "delete_rule": deletes(
            "payments.delete_rolloutrule",
            _("Delete the rollout rule"),
            _("It holds no more, from now on. What was asked for and paid stays as it is."),
        )
    }

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("payments.add_rolloutrule")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("payments.change_rolloutrule")

    @action(
        description=_("Try it out"),
        url_path="try",
        permissions=["payments.view_rolloutrule"],
        icon="help",
        variant=ActionVariant.PRIMARY,
    )
    def try_out(self, request: HttpRequest) -> HttpResponse:
        """What the payment page shows for an order, or for a buyer who has none yet, and why not the rest."""
        form = TryForm(request.GET or None, user=request.user)
        case = form.case() if form.is_bound and form.is_valid() else None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Try it out"),
            "form": form,
            "panels": _panels(case, form.surface()) if case else [],
        }
        return TemplateResponse(request, "payments/admin/try_out.html", context)


def _panels(case: Case, surface: Surface) -> list[Panel]:
    measured = trust.measures(case)
    return [shown_panel(case, surface, measured), *([trust.panel(measured)] if measured else [])]


def shown_panel(case: Case, surface: Surface, measured: list[Measure]) -> Panel:
    """Every method, whether the payment page shows it, and why not."""
    considered = weighing.weigh(case, surface)
    against = weighing.why_not_friend(case, surface) or objection(measured)
    against = against or weighing.no_wallet(case, considered, clock.now())
    rows = [_row(METHODS[FRIEND], "", against.code if against else "", against.text if against else "")]
    rows += [
        _row(offer.label, link(offer.account), offer.reason, offer.detail or REASONS.get(offer.reason, ""))
        for offer in considered
    ]
    return Panel(
        gettext("What the page shows"), (_("Method"), _("Account"), _("Shown"), _("Reason"), _("Why not")), rows
    )


def _row(method: object, account: object, reason: str, text: object) -> tuple[object, ...]:
    shown = badge(_("withheld"), "warning") if reason else badge(_("shown"), "success")
    return (method, account, shown, code(reason), text)
