"""Money that names no payment of ours: kept by the inbox, counted for a request or sent back by support."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from friendpay import clock
from orders.errors import Refused
from orders.money import Money
from orders.services import LineDraft, place_order
from payments import funds, inbox, lifecycle, providers
from payments.models import Payment, PaymentRequest, ProviderEvent
from payments.providers.base import State
from payments.record import lock_request, note, save


@transaction.atomic
def adopt(event_id: int, request: PaymentRequest, *, actor: str) -> Payment:
    """Count an orphan's money for a request of the same shop: applied if it fits, else sent back like any money that
    does not. Repeating it is refused, since it is no orphan any more.
    """
    event = (
        ProviderEvent.objects.select_for_update(of=("self",), no_key=True).select_related("account").get(pk=event_id)
    )
    money = _money(event)
    account = event.account
    if (request.merchant_id, request.order.live) != (account.merchant_id, account.live):
        raise Refused("other_shop", _("That request belongs to another shop."), field="request", status=422)
    if request.currency != money.currency:
        raise Refused("other_currency", _("That request is in another currency."), field="request", status=422)
    payment = Payment.objects.create(
        merchant_id=account.merchant_id,
        request=request,
        account=account,
        method=providers.get(account.provider).methods[0],
        rail="",
        currency=money.currency,
        amount=money.minor,
        reference=event.reference if len(event.reference) <= 32 else funds.new_reference(),
        created_at=clock.now(),
    )
    assert event.outcome  # _money has looked
    payment = lifecycle.settle(payment.pk, provider_ref=event.outcome["provider_ref"], amount=money)
    locked = lock_request(request.pk)[1]
    note(locked, "payment.adopted", actor, payment)
    save(locked)
    event.orphaned_at, event.applied_at = None, clock.now()
    event.save(update_fields=["orphaned_at", "applied_at"])
    return payment


@transaction.atomic
def send_back(event_id: int, *, actor: str) -> Payment:
    """Send an orphan's money back to whoever paid it. It is booked on a cancelled order of its own, so that the books
    hold it like all other money and support sees its refund.
    """
    event = ProviderEvent.objects.select_related("account__merchant").get(pk=event_id)
    money = _money(event)
    order = place_order(
        event.account.merchant,
        reference=f"orphan {event.pk}",
        currency=money.currency,
        lines=[LineDraft("Money that names no order", 1, money.minor)],
        buyer_name="-",
        live=event.account.live,
    )
    request = lifecycle.open_request(order.pk, actor=actor, shared=False)
    lifecycle.close_order(order.pk, paid_elsewhere=False)
    request.refresh_from_db()
    return adopt(event_id, request, actor=actor)


def _money(event: ProviderEvent) -> Money:
    outcome = inbox.unpack(event.outcome)
    if event.orphaned_at is None:
        raise Refused("not_an_orphan", _("This notification does not wait for anybody."))
    if event.about != "charge" or outcome is None or outcome.state != State.SUCCEEDED or outcome.amount is None:
        raise Refused("no_money", _("This notification tells of no money that came in."))
    return outcome.amount
