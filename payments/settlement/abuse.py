"""Abuse reports and stopped buyers. Nobody but support sees a report, and one alone does nothing; reports by several
people stop their buyer until support decides.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, ids, limits, trust_limits
from friendpay.kit.errors import Refused
from orders.models import Merchant, Order
from payments.models import PaymentRequest, Report, StoppedBuyer
from payments.offers import standing
from payments.offers.trust import Subject
from payments.settlement import lifecycle
from payments.settlement.locks import lock_request, note, save


def report(request: PaymentRequest, *, reason: str, words: str, network: str, owner: str = "") -> None:
    """Tell support. The same request from the same network is reported once; a repeat changes nothing.

    `owner` is the network with all else that its owner may have. Once REPORTERS of different owners have reported
    requests of one buyer, she is stopped, and the shop is told; what she has asked for stays open.
    """
    now = clock.now()
    network = network or f"unknown-{ids.token(20)}"  # who cannot be told from others is alone
    mine = Report.objects.filter(network=network)
    if mine.filter(request=request).exists():
        return
    if mine.filter(created_at__gt=now - limits.REPORTS_WITHIN).count() >= limits.REPORTS_OF_A_NETWORK:
        raise Refused(
            "too_many_tries", _("There were too many tries in the last hour. Please wait a while."), status=429
        )
    with transaction.atomic():
        buyer = request.order.buyer_id
        if buyer:
            standing.lock(request.merchant_id, buyer, "", [Subject.BUYER])
        Report.objects.get_or_create(
            request=request,
            network=network,
            defaults={
                "merchant_id": request.merchant_id,
                "owner": owner,
                "reason": reason,
                "words": words,
                "created_at": now,
            },
        )
        if buyer:
            _stop_at_threshold(request, now)


def _stop_at_threshold(reported: PaymentRequest, now: datetime) -> None:
    order = reported.order
    reporters = (
        _of_buyer(order.merchant_id, order.buyer_id)
        .filter(created_at__gt=now - trust_limits.REPORTERS_WITHIN)
        .exclude(owner="")
        .aggregate(count=Count("owner", distinct=True))["count"]
    )
    if reporters < trust_limits.REPORTERS or not _stop(order, now, "system"):
        return
    _order, request = lock_request(reported.pk)
    note(request, "payment_request.reported", "system", buyer_id=order.buyer_id, reports=reporters)
    save(request)


def _of_buyer(merchant_id: int, buyer_id: str) -> QuerySet[Report]:
    """What support has not decided on yet."""
    return Report.objects.open().filter(merchant=merchant_id, request__order__buyer_id=buyer_id)


def _stop(order: Order, now: datetime, actor: str) -> bool:
    """Whether she was not stopped before."""
    names = {"buyer_name": order.buyer_name, "stopped_at": now, "by": actor}
    _row, made = StoppedBuyer.objects.get_or_create(
        merchant_id=order.merchant_id, buyer_id=order.buyer_id, defaults=names
    )
    return made


def settle(report: Report, outcome: str = Report.Outcome.NOTHING) -> None:
    """Support has decided; what else was said of the same request is decided with it. Repeating changes nothing."""
    Report.objects.open().filter(request=report.request_id).update(settled_at=clock.now(), outcome=outcome)


@transaction.atomic
def freeze_shop(report: Report) -> None:
    """Nothing new can be asked for or paid at this shop, by anybody; refunds and checks go on."""
    freeze(report.merchant_id)
    settle(report, Report.Outcome.SHOP)


def freeze(merchant_id: int) -> None:
    """The same without a report."""
    Merchant.objects.filter(pk=merchant_id).update(is_frozen=True)


@transaction.atomic
def stop_buyer(report: Report, *, actor: str) -> None:
    """The buyer cannot ask friends at this shop any more, and what she asks now is cancelled: parts go back.

    Refused where the shop did not say who the buyer is: then only the request can be cancelled.
    """
    stop_buyer_of(report.request.order, actor=actor)
    settle(report, Report.Outcome.BUYER)


@transaction.atomic
def stop_buyer_of(order: Order, *, actor: str) -> None:
    """The same without a report. Repeating changes nothing."""
    if not order.buyer_id:
        raise Refused("buyer_unknown", _("The shop did not say who the buyer is. Cancel the request instead."))
    _stop(order, clock.now(), actor)
    asked = PaymentRequest.objects.filter(
        merchant=order.merchant_id,
        order__buyer_id=order.buyer_id,
        status=PaymentRequest.Status.OPEN,
        shared_at__isnull=False,
    )
    for pk in list(asked.order_by("id").values_list("pk", flat=True)):
        try:
            lifecycle.cancel_request(pk, actor=actor)
        except Refused:
            continue  # a friend paid it at this moment


@transaction.atomic
def let_ask(stopped: StoppedBuyer) -> None:
    """The buyer may ask friends again. What was reported of her is decided by that: it counts no more."""
    _of_buyer(stopped.merchant_id, stopped.buyer_id).update(settled_at=clock.now(), outcome=Report.Outcome.NOTHING)
    stopped.delete()
