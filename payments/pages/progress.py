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
    "payment.failed": gettext_lazy("%(payer)s tried, but the payment was refused. No money has moved."),
    "payment.cancelled": gettext_lazy("%(payer)s started but didn't pay. No money has moved."),
    "payment.released": gettext_lazy(
        "%(payer)s didn't finish in time. If money still arrives, it counts or is refunded automatically."
    ),
}
"""What became of an attempt, kindly: why a friend's wallet said no is between the two of them."""


class Stage(StrEnum):
    """Where an open request stands. What is paid has ended, and says so itself."""

    SHARED = "shared"  # there is something to send
    SENT = "sent"  # the buyer has tapped a way to send it
    OPENED = "opened"
    CHOOSING = "choosing"
    TRYING = "trying"
    FAILED = "failed"
    DECLINED = "declined"
    PARTLY = "partly"  # of several friends who pay together, not all have
    OWN = "own"  # the buyer herself has begun to pay


HEADINGS: "dict[Stage, str | Promise]" = {
    Stage.SHARED: gettext_lazy("Send this to a friend"),
    Stage.SENT: gettext_lazy("Waiting for your friend"),
    Stage.OPENED: gettext_lazy("Link opened"),
    Stage.CHOOSING: gettext_lazy("Someone is choosing how to pay"),
    Stage.TRYING: gettext_lazy("A friend is paying"),
    Stage.FAILED: gettext_lazy("Not paid yet"),
    Stage.DECLINED: gettext_lazy("A friend can't help this time"),
    Stage.PARTLY: gettext_lazy("Partly paid"),
    Stage.OWN: gettext_lazy("Your payment isn't finished"),
}
"""What the first screen says, and the tab."""

_TAB_ICONS = {
    Stage.OPENED: "icon-news.svg",
    Stage.CHOOSING: "icon-news.svg",
    Stage.PARTLY: "icon-news.svg",
    Stage.TRYING: "icon-paying.svg",
    Stage.OWN: "icon-paying.svg",
    Stage.FAILED: "icon-missed.svg",
    Stage.DECLINED: "icon-missed.svg",
}


@dataclass(frozen=True)
class Progress:
    """The stage, until when somebody is taken to be choosing, and how the last attempt failed."""

    stage: Stage
    choosing_until: datetime | None = None
    failure: str = ""
    failed_at: datetime | None = None

    @property
    def heading(self) -> str:
        return str(HEADINGS[self.stage])

    @property
    def tab_icon(self) -> str:
        return _TAB_ICONS.get(self.stage, "icon.svg")


def names_are_told(reading: Reading) -> bool:
    """Whether the buyer reads by what name somebody pays, or tried to. Anybody with the link can type one, and a line
    with a no: of what people write who have not paid, the page says one thing at most, and the line comes first. Who
    has paid is always named.
    """
    return not (reading.declined and reading.declined.get("words"))


def of(reading: Reading, *, is_held: bool) -> Progress:
    """Where an open request that was shared stands."""
    request, last = reading.request, reading.outcome
    own = reading.attempts and reading.attempts.mine
    if own or request is None or is_held:
        return Progress(Stage.OWN if own else Stage.TRYING)
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
    at_rest = (
        (Stage.PARTLY, request.amount_paid),
        (Stage.OPENED, request.opened_at),
        (Stage.SENT, reading.sent),
        (Stage.SHARED, True),
    )
    return Progress(next(stage for stage, is_so in at_rest if is_so))
