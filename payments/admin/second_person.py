"""Money above a set amount is moved by two people: one proposes, with a reason; another, with the right, confirms.

What was proposed is the desk's own form. It is read again when it is confirmed, so that whatever has changed meanwhile
is refused as it would be for one person, and nothing moves.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model
from django.db.models import Sum as Total
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit import reasons
from friendpay.admin_kit.acts import Act, Data
from friendpay.kit import clock, desk_limits
from friendpay.kit.errors import Refused
from friendpay.kit.money import Money
from friendpay.kit.templatetags.money import amount
from orders.models import Merchant, Order
from payments.models import Proposal, Refund
from payments.settlement import locks

Sum = Callable[[Any, Data], Money]
Outcome = Proposal.Outcome


def asked_for(
    name: str, sum_of: Sum, order_of: Callable[[Any], Order | None], merchant_of: Callable[[Any], Merchant]
) -> Any:
    """For `Act.instead` of the act of this name: propose it, where it would move more than one person may."""

    def instead(request: HttpRequest, thing: Model, data: Data) -> str:
        order, sum = order_of(thing), sum_of(thing, data)
        if not is_needed(sum, order):
            return ""
        _try(_act_of(thing, name), thing, data)
        shown = amount(sum.minor, sum.currency)
        what = gettext("%(act)s: %(amount)s") % {"act": _act_of(thing, name).label, "amount": shown}
        _propose(request, thing, name, sum, order, merchant_of(thing), what, reasons.told("", data))
        said = gettext(
            "Proposed: %(amount)s is more than one person may move. Another has to confirm it in %(days)s days."
        )
        return said % {"amount": shown, "days": desk_limits.PROPOSAL_LIVES.days}

    return instead


class _Undone(Exception):
    """Ends a trial."""


def _try(act: Act[Any], thing: Model, data: Data) -> None:
    """Refused as the act itself would be: what cannot be done is not proposed either. Nothing of it stays."""
    try:
        with transaction.atomic():
            act.happens(thing, data, "system")
            raise _Undone
    except _Undone:
        return


def is_needed(sum: Money, order: Order | None) -> bool:
    """Whether one person may not move so much, with what the shop has refunded of the order already: many small sums
    are a large one. In a currency that the setting does not name nobody moves anything alone.

    The order stays locked until the caller's transaction ends, as every refund of it locks it: what others refund of
    it at this moment is either counted here, or counts this.
    """
    if not settings.DESK_SECOND_PERSON_ABOVE:
        return False
    most = settings.DESK_SECOND_PERSON_ABOVE.get(sum.currency, "0")
    before = 0
    if order:
        locks.lock_order(order.pk)
        refunded = Refund.objects.standing().filter(payment__request__order=order, reason=Refund.Reason.MERCHANT)
        before = refunded.aggregate(sum=Total("amount"))["sum"] or 0
    return sum.minor + before > Money.from_decimal(Decimal(most), sum.currency).minor


def waiting_for(order: Order) -> list[Proposal]:
    """What waits for a second person, of an order and all that was paid for it."""
    return list(Proposal.objects.waiting(clock.now()).filter(order=order))


def _act_of(thing: Model, name: str) -> Act[Any]:
    act: Act[Any] = admin.site.get_model_admin(type(thing)).acts[name]  # type: ignore[attr-defined]
    return act


def _propose(  # noqa: PLR0913  # what is written down
    request: HttpRequest, thing: Model, name: str, sum: Money, order: Order | None, shop: Merchant, what: str, why: str
) -> None:
    """Once for each thing and act; a double click finds what the first made."""
    now = clock.now()
    which = {"kind": ContentType.objects.get_for_model(thing), "thing_id": thing.pk, "act": name, "decided_at": None}
    Proposal.objects.filter(**which, expires_at__lte=now).update(decided_at=now, outcome=Outcome.EXPIRED)
    sent = request.POST.copy()
    sent.pop("csrfmiddlewaretoken", None)
    _proposal, is_new = Proposal.objects.get_or_create(
        **which,
        defaults={
            "merchant": shop,
            "order": order,
            "form": sent.urlencode(),
            "what": what[:300],
            "why": why[:300],
            "currency": sum.currency,
            "amount": sum.minor,
            "proposed_by": cast(User, request.user),
            "proposed_at": now,
            "expires_at": now + desk_limits.PROPOSAL_LIVES,
        },
    )
    if not is_new:
        raise Refused("proposed_already", _("Somebody has proposed this already. A second person can confirm it."))


def check_may_confirm(request: HttpRequest, proposal: Proposal, _data: Data) -> str:
    """For `Act.instead`: refused to whoever proposed it, and to whoever could not do it themselves."""
    if request.user.pk == proposal.proposed_by_id:
        raise Refused("same_person", _("Another person than the one who proposed it has to confirm it."), status=403)
    page: Any = admin.site.get_model_admin(proposal.kind.model_class())  # type: ignore[arg-type]
    act = page.acts[proposal.act]
    if not request.user.has_perms(act.rights) or page.to_act_on(request, str(proposal.thing_id)) is None:
        raise Refused("not_allowed", _("You may not do this yourself, so you cannot confirm it."), status=403)
    return remember_decider(request, proposal, _data)


def remember_decider(request: HttpRequest, proposal: Proposal, _data: Data) -> str:
    """For `Act.instead`: keeps with the proposal who decides on it."""
    vars(proposal)["decider"] = request.user
    return ""


def _lock(proposal: Proposal) -> Proposal:
    """The proposal, locked; refused where it is decided or over."""
    found = Proposal.objects.select_for_update(of=("self",)).select_related("proposed_by", "kind").get(pk=proposal.pk)
    if found.decided_at:
        raise Refused("decided_already", _("Somebody has decided on this already."))
    if found.expires_at <= clock.now():
        raise Refused("proposal_over", _("The time to confirm this is over. Propose it again if it is still wanted."))
    return found


@transaction.atomic
def confirm(proposal: Proposal) -> str:
    """Do what was proposed, once, and say what was done. Refused, with nothing moved, where it is decided or over, or
    where what it was proposed for has changed. The event names both people.
    """
    decider = vars(proposal)["decider"]
    locked = _lock(proposal)
    thing = locked.kind.get_object_for_this_type(pk=locked.thing_id)
    act = _act_of(thing, locked.act)
    form = act.asks(QueryDict(locked.form), thing)
    if not form.is_valid() or not act.when(thing):
        raise Refused("changed", _("Something has changed since this was proposed. Look again, then propose it anew."))
    proposer = locked.proposed_by.get_username()
    result = act.happens(thing, form.cleaned_data, f"support:{proposer}+{decider.get_username()}"[:80])
    _decide(locked, decider, Outcome.CONFIRMED)
    said = act.said(thing, result, form.cleaned_data | _facts(thing))
    told = reasons.told(said, form.cleaned_data)
    words = gettext("%(said)s Proposed by %(proposer)s, confirmed by %(decider)s.")
    told = words % {"said": told, "proposer": proposer, "decider": decider.get_username()}
    LogEntry.objects.create(
        user=decider,
        content_type=locked.kind,
        object_id=str(locked.thing_id),
        object_repr=str(thing)[:200],
        action_flag=CHANGE,
        change_message=told,
    )
    return said


def _facts(thing: Model) -> dict[str, Any]:
    facts: dict[str, Any] = admin.site.get_model_admin(type(thing)).facts(thing)  # type: ignore[attr-defined]
    return facts


@transaction.atomic
def decline(proposal: Proposal) -> None:
    """Nothing is done. Whoever proposed it may take it back like this, too."""
    _decide(_lock(proposal), vars(proposal)["decider"], Outcome.DECLINED)


def _decide(proposal: Proposal, user: Any, outcome: str) -> None:
    proposal.decided_by, proposal.decided_at, proposal.outcome = user, clock.now(), outcome
    proposal.save(update_fields=["decided_by", "decided_at", "outcome"])
