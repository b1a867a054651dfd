"""The desk's page of what waits for a second person."""

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
from friendpay.admin_kit.cells import badge, link, moment, money
from friendpay.admin_kit.columns import Column
from friendpay.kit import clock
from payments.admin import parts, second_person
from payments.models import Proposal

WAITING = filters.choice(
    _("state"),
    "open",
    {
        "yes": (_("waits"), lambda: Q(decided_at=None, expires_at__gt=clock.now())),
        "no": (_("decided or over"), lambda: Q(decided_at__isnull=False) | Q(expires_at__lte=clock.now())),
    },
)


def _is_waiting(proposal: Proposal) -> bool:
    return proposal.decided_at is None and proposal.expires_at > clock.now()


def _state(proposal: Proposal) -> SafeString:
    if _is_waiting(proposal):
        return badge(_("waits"), "warning")
    return badge(proposal.get_outcome_display() or _("expired"), "success" if proposal.outcome == "confirmed" else "")


def _about(proposal: Proposal) -> SafeString | str:
    thing = proposal.kind.model_class()._base_manager.filter(pk=proposal.thing_id).first()  # type: ignore[union-attr]
    return link(thing) if thing else ""


@admin.register(Proposal)
class ProposalAdmin(SupportAdmin[Proposal]):
    """Who proposed something cannot confirm it."""

    of_shop = "merchant"
    list_display = ("what", "state", "proposed_by", "order_link", "merchant", "proposed")
    list_filter = (WAITING,)
    list_select_related = ("order", "merchant", "proposed_by")
    search_fields = ("what", "order__reference")
    search_help_text = _("Order number or words")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("what", "state", "amount_text"),
                    "why",
                    ("about", "order_link", "shop"),
                    ("proposed_by", "proposed", "expires"),
                    ("decided_by", "decided"),
                )
            },
        ),
    )
    columns = {
        "state": Column(_("State"), _state),
        "amount_text": Column(_("Amount"), lambda it: money(it.amount, it.currency), "amount"),
        "about": Column(_("About"), _about),
        "order_link": Column(_("Order"), lambda it: link(it.order) if it.order else ""),
        "shop": parts.SHOP,
        "proposed": Column(_("Proposed"), lambda it: moment(it.proposed_at), "id"),
        "expires": Column(_("Time is over"), lambda it: moment(it.expires_at)),
        "decided": Column(_("Decided"), lambda it: moment(it.decided_at)),
    }
    acts = {
        "confirm": Act(
            label=_("Confirm"),
            rights=("payments.decide_proposal",),
            icon="how_to_reg",
            colour=PRIMARY,
            again=True,
            when=_is_waiting,
            title=_("Confirm: %(what)s"),
            text=_(
                "It is done at once, in the names of both of you. If something has changed meanwhile, nothing happens."
            ),
            button=_("Confirm"),
            instead=second_person.check_may_confirm,
            do=lambda proposal, _data, _by: second_person.confirm(proposal),
            done=lambda _proposal, said: str(said),
        ),
        "decline": Act(
            label=_("Decline"),
            rights=("payments.decide_proposal",),
            icon="close",
            when=_is_waiting,
            title=_("Decline: %(what)s"),
            text=_("Nothing is done. It can be proposed again."),
            button=_("Decline"),
            danger=False,
            instead=second_person.remember_decider,
            do=lambda proposal, _data, _by: second_person.decline(proposal),
            done=lambda _proposal, _result: gettext("It was declined."),
        ),
    }

    def facts(self, proposal: Proposal) -> dict[str, Any]:
        return {"what": proposal.what}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proposal]:
        return super().get_queryset(request).select_related("order", "merchant", "proposed_by", "decided_by", "kind")
