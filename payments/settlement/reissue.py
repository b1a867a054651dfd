"""A new link in the place of one that went to the wrong person, or was lost."""

from datetime import timedelta

from django.db import transaction

from friendpay.kit import clock
from payments.models import PaymentRequest
from payments.settlement import lifecycle, rules
from payments.settlement.chip_in import Split
from payments.settlement.locks import lock_request


@transaction.atomic
def reissue(request_id: int, *, actor: str) -> PaymentRequest:
    """Another request like this one, with a link and a code of its own; nobody can pay by the old ones any more.

    The old request ends as any that is cancelled: parts that were given go back, and so does money that somebody was
    just paying. Refused where it is not open.
    """
    order, request = lock_request(request_id)
    now = clock.now()
    rules.check_request_open(request, now)
    split = None
    if request.split_max_payers:
        split = Split(request.split_max_payers, request.split_min_amount, request.named)
    lifecycle.cancel_request(request.pk, actor=actor)
    PaymentRequest.objects.filter(pk=request.pk).update(is_replaced=True)
    return lifecycle.open_request(
        order.pk,
        actor=actor,
        shared=True,
        message=request.message,
        split=split,
        expires_in=max(request.expires_at - now, timedelta(minutes=1)),
        more={"metadata": request.metadata},
    )
