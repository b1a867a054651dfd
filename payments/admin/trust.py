"""The desk's pages of trust limits: a shop's own numbers, within bounds."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit import filters
from friendpay.admin_kit.acts import deletes
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import Panel, badge, code
from friendpay.admin_kit.columns import Column
from friendpay.kit import clock, trust_limits, worth
from friendpay.kit.money import Money
from payments.admin.rollout_forms import CurrencyField, amount_field, minor
from payments.models import TrustLimit
from payments.offers import standing, trust
from payments.offers.rollout import Case
from payments.offers.trust import Measure

_COUNTS = ("open_count", "hour_count", "day_count")
_SUMS = ("open_sum", "hour_sum", "day_sum", "first_sum")


class LimitForm(forms.ModelForm):  # type: ignore[type-arg]
    """Empty is as usual. A buyer's and a network's numbers may be several times the usual ones, a shop's only lower."""

    currency = CurrencyField(label=_("Sums are in"), help_text=_("Like CNY; they hold in others by their rough worth."))
    open_sum = amount_field(_("Sum open at once"))
    hour_sum = amount_field(_("Sum within an hour"))
    day_sum = amount_field(_("Sum within a day"))
    first_sum = amount_field(_("Sum until a first request was paid"))

    class Meta:
        model = TrustLimit
        fields = ("merchant", "subject", "note", *_COUNTS, "currency", *_SUMS, "cooling_hours")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in _SUMS:
            kept: int | None = getattr(self.instance, name)
            self.initial[name] = None if kept is None else Money(kept, self.instance.currency).decimal

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not data.get("subject"):
            return data
        usual = trust.usual(TrustLimit.Subject(data["subject"]))
        of_shop = data["subject"] in (TrustLimit.Subject.SHOP, TrustLimit.Subject.NEW_SHOP)
        times = 1 if of_shop else trust_limits.EASED_AT_MOST
        for name, most in zip(_COUNTS, usual.counts, strict=True):
            if data.get(name) is not None and data[name] > most * times:
                self.add_error(name, _("At most %(most)s.") % {"most": most * times})
        for name, cents in zip(_SUMS, (*usual.sums, usual.first), strict=True):
            data[name] = self._sum(name, data, cents and cents * times)
        hours, least = data.get("cooling_hours"), int(usual.cooling.total_seconds()) // 3600 if of_shop else 0
        if hours is not None and not least <= hours <= trust_limits.COOLING_LONGEST_HOURS:
            words = _("Between %(least)s and %(most)s.") % {
                "least": least,
                "most": trust_limits.COOLING_LONGEST_HOURS,
            }
            self.add_error("cooling_hours", words)
        return data

    def _sum(self, name: str, data: dict[str, Any], most: int | None) -> int | None:
        typed: Decimal | None = data.get(name)
        if typed is None:
            return None
        currency = data.get("currency")
        if not currency:
            self.add_error("currency", _("An amount needs its currency."))
            return None
        try:
            found = minor(typed, currency)
        except ValidationError as error:
            self.add_error(name, error)
            return None
        if most is None:
            self.add_error(name, _("This is for new buyers and new shops."))
        elif worth.cents(found, currency) > most:
            self.add_error(name, _("At most %(most)s.") % {"most": Money(worth.minor(most, currency), currency)})
        return found


def _says(limit: TrustLimit) -> str:
    """Which numbers are its own, in words."""
    names = [name for name in (*_COUNTS, *_SUMS, "cooling_hours") if getattr(limit, name) is not None]
    return ", ".join(str(TrustLimit._meta.get_field(name).verbose_name) for name in names)  # type: ignore[union-attr]


@admin.register(TrustLimit)
class TrustLimitAdmin(SupportAdmin[TrustLimit]):
    """Numbers can be added, changed and deleted: what was asked for does not depend on them."""

    of_shop = "merchant"
    form = LimitForm
    list_display = ("subject", "merchant", "own", "note")
    list_filter = ("subject", ("merchant", filters.ShopFilter))
    list_select_related = ("merchant",)
    search_fields = ("merchant__name", "note")
    search_help_text = _("Shop or note")
    autocomplete_fields = ("merchant",)
    fieldsets = (
        (None, {"fields": (("merchant", "subject"), "note")}),
        (_("Requests"), {"fields": (_COUNTS,)}),
        (_("Sums"), {"fields": ("currency", _SUMS[:3], ("first_sum", "cooling_hours"))}),
    )
    columns = {"own": Column(_("Not as usual"), _says)}

    acts = {
        "delete_limit": deletes(
            "payments.delete_trustlimit",
            _("Delete the trust limit"),
            _("The usual numbers hold again, from now on. What was asked for and paid stays as it is."),
        )
    }

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("payments.add_trustlimit")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("payments.change_trustlimit")


def measures(case: Case) -> list[Measure]:
    """What an ask for this case meets now."""
    known = standing.read(case.merchant_id, case.buyer, clock.now(), live=case.live)
    return trust.measures(known.standing, known.shop.trust, case.total)


def panel(measured: list[Measure]) -> Panel:
    """Each limit, what of it is used with this ask, and whether it stops it."""
    rows = [
        (
            it.subject.label,
            code(it.code),
            it.shown[0],
            it.shown[1],
            badge(_("stops it"), "warning") if it.stops else badge(_("fits"), "success"),
            it.text if it.stops else "",
        )
        for it in measured
    ]
    return Panel(
        gettext("What trust allows"),
        (_("For"), _("Limit"), _("With this request"), _("At most"), _("Verdict"), _("Why not")),
        rows,
    )
