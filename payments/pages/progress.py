"""How far a request is, for the buyer alone. Friends see who pays, never who looked: the snapshot has none of this."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from friendpay.kit import limits
from payments.pages.buyer_reading import DECLINED, Reading

FAILURES: dict[str, "str | Promise"] = {
    "payment.failed": gettext_lazy("%(payer)s tried, but the wallet did not take the payment. No money has moved."),
    "payment.cancelled": gettext_lazy("%(payer)s tried and left the wallet without paying. No money has moved."),
    "payment.released": gettext_lazy(
        "%(payer)s tried and did not finish in time. Should money still come, it counts or goes back by itself."
    ),
}
"""What became of an attempt, kindly: why a friend's wallet said no is between the two of them."""


class Stage(StrEnum):
    """Where an open request stands. What is paid has ended, and says so itself."""

    SHARED = "shared"
    OPENED = "opened"
    CHOOSING = "choosing"
    TRYING = "trying"
    FAILED = "failed"
    DECLINED = "declined"


@dataclass(frozen=True)
class Progress:
    """The stage, until when somebody is taken to be choosing, and how the last attempt failed."""

    stage: Stage
    choosing_until: datetime | None = None
    failure: str = ""
    failed_at: datetime | None = None


def names_are_told(reading: Reading) -> bool:
    """Whether the buyer reads by what name somebody pays, or tried to. Anybody with the link can type one, and a line
    with a no: of what people write who have not paid, the page says one thing at most, and the line comes first. Who
    has paid is always named.
    """
    return not (reading.declined and reading.declined.get("words"))


def of(reading: Reading, *, is_held: bool) -> Progress:
    """Where an open request that was shared stands."""
    request, last = reading.request, reading.outcome
    if request is None or is_held:
        return Progress(Stage.TRYING)
    if last and last.type in FAILURES and not last.data["by_buyer"]:
        name = last.data["payer_name"] if names_are_told(reading) else ""
        return Progress(
            Stage.FAILED, failure=str(FAILURES[last.type]) % {"payer": name or _("A friend")}, failed_at=last.created_at
        )
    if last and last.type == DECLINED:
        return Progress(Stage.DECLINED)
    until = request.choosing_at + limits.CHOOSES_FOR if request.choosing_at else reading.now
    if until > reading.now:
        return Progress(Stage.CHOOSING, choosing_until=until)
    return Progress(Stage.OPENED if request.opened_at else Stage.SHARED)
