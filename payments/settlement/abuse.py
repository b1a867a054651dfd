"""Abuse reports and stopped buyers: nobody but support sees a report, and a report alone does nothing."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from friendpay.kit import clock, ids, limits
from friendpay.kit.errors import Refused
from orders.models import Merchant
from payments.models import PaymentRequest, Report, StoppedBuyer
from payments.settlement import lifecycle


def report(request: PaymentRequest, *, reason: str, words: str, network: str) -> None:
    """Tell support. The same request from the same network is reported once; a repeat changes nothing."""
    now = clock.now()
    network = network or f"unknown-{ids.token(20)}"  # who cannot be told from others is alone
    mine = Report.objects.filter(network=network)
    if mine.filter(request=request).exists():
        return
    if mine.filter(created_at__gt=now - limits.REPORTS_WITHIN).count() >= limits.REPORTS_OF_A_NETWORK:
        raise Refused(
            "too_many_tries", _("There were too many tries in the last hour. Please wait a while."), status=429
        )
    Report.objects.get_or_create(
        request=request,
        network=network,
        defaults={"merchant_id": request.merchant_id, "reason": reason, "words": words, "created_at": now},
    )


def settle(report: Report, outcome: str = Report.Outcome.NOTHING) -> None:
    """Support has decided; what else was said of the same request is decided with it. Repeating changes nothing."""
    Report.objects.open().filter(request=report.request_id).update(settled_at=clock.now(), outcome=outcome)


@transaction.atomic
def freeze_shop(report: Report) -> None:
    """Nothing new can be asked for or paid at this shop, by anybody; refunds and checks go on."""
    Merchant.objects.filter(pk=report.merchant_id).update(is_frozen=True)
    settle(report, Report.Outcome.SHOP)


@transaction.atomic
def stop_buyer(report: Report, *, actor: str) -> None:
    """The buyer cannot ask friends at this shop any more, and what she asks now is cancelled: parts go back.

    Refused where the shop did not say who the buyer is: then only the request can be cancelled.
    """
    order = report.request.order
    if not order.buyer_id:
        raise Refused("buyer_unknown", _("The shop did not say who the buyer is. Cancel the request instead."))
    StoppedBuyer.objects.get_or_create(
        merchant_id=report.merchant_id,
        buyer_id=order.buyer_id,
        defaults={"buyer_name": order.buyer_name, "stopped_at": clock.now()},
    )
    asked = PaymentRequest.objects.filter(
        merchant=report.merchant_id,
        order__buyer_id=order.buyer_id,
        status=PaymentRequest.Status.OPEN,
        shared_at__isnull=False,
    )
    for pk in list(asked.order_by("id").values_list("pk", flat=True)):
        try:
            lifecycle.cancel_request(pk, actor=actor)
        except Refused:
            continue  # a friend paid it at this moment
    settle(report, Report.Outcome.BUYER)


def let_ask(stopped: StoppedBuyer) -> None:
    """The buyer may ask friends again."""
    stopped.delete()
