"""The head of a case, on the pages of an order and of a request: who, how much, the link, what people see right now."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from friendpay.admin_kit.acts import DANGER
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import KINDS, Cell, Panel, address, badge, labelled, link, moment, money
from friendpay.kit import clock, desk_limits
from friendpay.kit.templatetags.money import amount
from orders.models import Order
from payments.admin import parts, preview, second_person
from payments.admin.rollout import REASONS
from payments.admin.rollout_forms import PLACES
from payments.admin.story import Story
from payments.models import PaymentRequest, ProviderAccount, Refund
from payments.offers import weighing
from payments.offers.rollout import FRIEND
from payments.offers.rollout import Case as Goods
from payments.offers.surfaces import Surface
from payments.offers.weighing import METHODS
from payments.settlement import asking
from payments.share import codes, text

WORK = ("payments.work_case",)


@dataclass(frozen=True)
class Case:
    """What stands at the top."""

    title: str
    status: SafeString
    people: SafeString
    sums: list[tuple[str, Cell]]
    views: list[tuple[str, str]]
    waiting: list[SafeString]
    ways_in: SafeString


class CasePage(SupportAdmin[Any]):
    """A page that begins with a case. Its `actions_detail` name the two views of what buyer and friend see."""

    change_form_before_template = "payments/admin/case.html"

    def order_of(self, thing: Any) -> Order:
        """The order that the case is about."""
        raise NotImplementedError

    def request_of(self, thing: Any) -> PaymentRequest | None:
        """The request that is looked at; of an order, its last."""
        raise NotImplementedError

    @action(description=gettext_lazy("What the friend sees"), url_path="as-friend", permissions=WORK, icon="visibility")
    def as_friend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        thing = self.get_object(request, object_id) if self.has_view_permission(request) else None
        asked = self.request_of(thing) if thing else None
        return preview.as_friend(asked) if asked and asked.shared_at else self._missing(request, object_id)

    @action(description=gettext_lazy("What the buyer sees"), url_path="as-buyer", permissions=WORK, icon="visibility")
    def as_buyer(self, request: HttpRequest, object_id: str) -> HttpResponse:
        thing = self.get_object(request, object_id) if self.has_view_permission(request) else None
        return preview.as_buyer(self.order_of(thing)) if thing else self._missing(request, object_id)

    def _missing(self, request: HttpRequest, object_id: str) -> HttpResponse:
        missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return missing

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """All buttons stand in the head, where there is room for them."""
        return []

    def _buttons(self, request: HttpRequest, thing: Any) -> list[tuple[str, str, bool]]:
        """What this person may do about it now: the words, the address, and whether it harms."""
        found = []
        for button in super().get_actions_detail(request, thing.pk):
            name = button.method.original_function_name
            if name not in ("as_friend", "as_buyer"):
                act = self.acts.get(name)
                found.append((str(button.description), address(thing, name), bool(act and act.colour == DANGER)))
        return found

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj:
            Story.of(self.order_of(obj)).shows_rules = request.user.has_perm("payments.view_rolloutrule")
            context["case"] = self._case(obj, is_shown=request.user.has_perms(WORK))
            context["buttons"] = self._buttons(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def _case(self, thing: Any, *, is_shown: bool) -> Case:
        """Who may not work on cases learns no link: whoever has one may pay by it."""
        order, asked = self.order_of(thing), self.request_of(thing)
        waiting = second_person.waiting_for(order)
        name = thing._meta.model_name
        page = f"admin:{thing._meta.app_label}_{name}"
        views = [(_("What the buyer sees"), reverse(f"{page}_as_buyer", args=[thing.pk]))]
        if asked and asked.shared_at:
            views.insert(0, (_("What the friend sees"), reverse(f"{page}_as_friend", args=[thing.pk])))
        return Case(
            title=_title(order, asked),
            status=parts.request_status(asked, clock.now()) if asked else _order_status(order),
            people=_people(order),
            sums=_sums(order, asked),
            views=views if is_shown else [],
            waiting=[labelled(_("Waits for a second person"), link(it, it.what)) for it in waiting],
            ways_in=_ways_in(asked) if asked and is_shown else SafeString(""),
        )


def _title(order: Order, asked: PaymentRequest | None) -> str:
    total = asked or order
    said = {"name": order.buyer_name, "amount": amount(total.amount, total.currency), "order": order.reference}
    if asked and asked.shared_at:
        return _("%(name)s asks for %(amount)s for order %(order)s") % said
    return _("Order %(order)s of %(name)s, %(amount)s") % said


def _order_status(order: Order) -> SafeString:
    return badge(order.get_status_display(), KINDS.get(order.status, ""))


def _people(order: Order) -> SafeString:
    """Buyer, shop, order, and who sees to the case."""
    assigned = getattr(order, "assignment", None)
    named = f"{order.buyer_name} ({order.buyer_id})" if order.buyer_id else order.buyer_name
    people: list[tuple[str, Cell]] = [
        (_("Buyer"), named),
        (_("Shop"), link(order.merchant)),
        (_("Order"), link(order)),
        (_("Assigned to"), assigned.user.get_username() if assigned else _("nobody")),
    ]
    return _in_line(people)


def _ways_in(asked: PaymentRequest) -> SafeString:
    """What opens the friend's page, to copy."""
    ways = ((_("Link"), text.link(asked)), (_("Share code"), codes.shown(asked)))
    return _in_line((name, format_html('<code class="desk-code desk-copy">{}</code>', it)) for name, it in ways)


def _in_line(named: Iterable[tuple[str, Cell]]) -> SafeString:
    return format_html_join(" · ", "{}", ((labelled(name, it),) for name, it in named))


def _sums(order: Order, asked: PaymentRequest | None) -> list[tuple[str, Cell]]:
    story = Story.of(order)
    sums = {
        _("Asked"): asked.amount if asked else order.amount,
        _("Paid"): sum(it.amount_captured for it in story.payments),
        _("Counts"): asked.amount_paid if asked else order.amount_paid,
        _("On its way"): asked.amount_held if asked else 0,
        _("Refunded"): sum(it.amount for it in story.refunds if it.is_back),
        _("To go back"): sum(it.amount for it in story.refunds if not it.is_final),
        _("Disputed"): sum(it.amount_disputed for it in story.payments),
    }
    return [(name, money(minor, order.currency)) for name, minor in sums.items()]


def why_panel(order: Order) -> Panel:
    """Every method: where the page shows it, and why not elsewhere, by what the shop's rules say now."""
    case, now = Goods.of(order), clock.now()
    accounts = list(
        ProviderAccount.objects.filter(merchant=order.merchant_id).select_related("merchant").order_by("id")
    )
    shown: dict[str, list[str]] = {}
    against: dict[str, dict[str, list[str]]] = {}
    for place, called in PLACES:
        surface = Surface.at(place)
        considered = weighing.weigh_known(case, surface, accounts, now)
        objection = asking.why_not(case, surface, now, considered)
        _note(shown, against, FRIEND, str(called), objection.text if objection else "")
        offered = {it.method for it in weighing.shown(considered)}
        for offer in considered:
            if offer.method not in offered:
                _note(
                    shown,
                    against,
                    offer.method,
                    str(called),
                    offer.detail or str(REASONS.get(offer.reason, offer.reason)),
                )
        for method in offered:
            _note(shown, against, method, str(called), "")
    rows = [
        (
            METHODS.get(method, method),
            ", ".join(shown.get(method, [])) or _("nowhere"),
            _reasons(against.get(method, {})),
        )
        for method in dict.fromkeys([*shown, *against])
    ]
    return Panel(_("Ways to pay, and why not others"), (_("Method"), _("Shown on"), _("Why not")), rows)


def _note(
    shown: dict[str, list[str]], against: dict[str, dict[str, list[str]]], method: str, place: str, reason: str
) -> None:
    if reason:
        places = against.setdefault(method, {}).setdefault(reason, [])
        if place not in places:
            places.append(place)
    else:
        shown.setdefault(method, []).append(place)


def _reasons(reasons: dict[str, list[str]]) -> SafeString:
    return format_html_join(" ", "{} ({}).", ((why.rstrip("."), ", ".join(places)) for why, places in reasons.items()))


def related_panel(order: Order) -> Panel | None:
    """What else the same buyer ordered and asked for at this shop, and what of it was reported; None where the shop did
    not say who the buyer is.
    """
    if not order.buyer_id:
        return None
    others = Order.objects.filter(merchant=order.merchant_id, buyer_id=order.buyer_id).exclude(pk=order.pk)
    found = list(
        others.order_by("-id").prefetch_related("payment_requests__reports")[: desk_limits.RELATED_ORDERS_SHOWN]
    )
    refunded = dict(
        Refund.objects.filter(payment__request__order__in=found)
        .standing()
        .values_list("payment__request__order")
        .annotate(sum=Sum("amount"))
    )
    now = clock.now()
    rows = [
        (
            link(it),
            format_html_join(
                " ", "{}", ((link(asked, parts.request_status(asked, now)),) for asked in it.payment_requests.all())
            ),
            money(it.amount, it.currency),
            money(it.amount_paid, it.currency),
            money(refunded.get(it.pk, 0), it.currency),
            sum(len(asked.reports.all()) for asked in it.payment_requests.all()) or "",
            moment(it.created_at),
        )
        for it in found
    ]
    headers = (_("Order"), _("Requests"), _("Amount"), _("Paid"), _("Refunds"), _("Reports"), _("Created"))
    return Panel(_("More of the same buyer"), headers, rows) if rows else None


def panels(order: Order) -> list[Panel]:
    """The tables of a case."""
    story = Story.of(order)
    related = related_panel(order)
    return [
        parts.payments_panel(story.payments, story.refunds),
        *([parts.refunds_panel(story.refunds)] if story.refunds else []),
        story.panel(),
        *([why_panel(order)] if story.shows_rules else []),
        *([related] if related else []),
    ]
