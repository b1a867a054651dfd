"""How far a request is, for the buyer alone. Friends see who pays, never who looked: the snapshot has none of this."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.models import Event
from payments.models import PaymentRequest

_DECLINED = "payment_request.declined"

CHOOSES_FOR = timedelta(minutes=3)
"""How long somebody who did something on the page is taken to be choosing."""

FAILURES = {
    "payment.failed": gettext_lazy("%(payer)s tried, but the wallet did not take the payment. No money has moved."),
    "payment.cancelled": gettext_lazy("%(payer)s tried and left the wallet without paying. No money has moved."),
    "payment.released": gettext_lazy(
        "%(payer)s tried and did not finish in time. Should money still come, it counts or goes back by itself."
    ),
}
"""What became of an attempt, kindly: why a friend's wallet said no is between the two of them."""


@dataclass(frozen=True)
class Progress:
    """`stage` is shared, opened, choosing, trying, failed or declined. What is paid has ended, and says so itself."""

    stage: str
    choosing_left: int = 0
    failure: "str | Promise" = ""
    failed_at: datetime | None = None


def of(request: PaymentRequest, snapshot: dict[str, Any], now: datetime) -> Progress:
    """Where an open request that was shared stands."""
    if snapshot["holders"]:
        return Progress("trying")
    outcomes = Q(type__startswith="payment.") | Q(type=_DECLINED)
    last = Event.objects.filter(outcomes, request=request.public_id).order_by("-id").first()
    if last and last.type in FAILURES and not last.data["by_buyer"]:
        payer = last.data["payer_name"] or _("A friend")
        return Progress("failed", failure=FAILURES[last.type] % {"payer": payer}, failed_at=last.created_at)
    if last and last.type == _DECLINED:
        return Progress("declined")
    left = int((request.choosing_at + CHOOSES_FOR - now).total_seconds()) if request.choosing_at else 0
    if left > 0:
        return Progress("choosing", choosing_left=left)
    return Progress("opened" if request.opened_at else "shared")
