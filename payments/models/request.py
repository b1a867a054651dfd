"""Payment requests: the ask to pay one order."""

from datetime import datetime
from functools import cached_property, partial
from typing import NamedTuple, Self

from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from friendpay.kit import ids
from friendpay.kit.models import Row
from friendpay.kit.money import Money
from friendpay.kit.writes import Writes
from orders.models import Event, Merchant, Order


class Share(NamedTuple):
    """What one person is asked for. It is paid whole, and once."""

    name: str
    amount: int  # minor units


class PaymentRequestQuerySet(models.QuerySet["PaymentRequest"]):
    def due_for_expiry(self, now: datetime) -> Self:
        """Open, past their time, and with nobody's money on its way."""
        return self.filter(status=PaymentRequest.Status.OPEN, expires_at__lte=now, amount_held=0)

    def standing_as(self, status: str, now: datetime) -> Self:
        """Those that are shown with this status (`PaymentRequest.status_at`)."""
        over = Q(status=PaymentRequest.Status.OPEN, expires_at__lte=now, amount_held=0)
        if status == PaymentRequest.Status.OPEN:
            return self.filter(status=status).exclude(over)
        if status == PaymentRequest.Status.EXPIRED:
            return self.filter(over | Q(status=status))
        return self.filter(status=status)

    def spelled(self, tokens: list[str]) -> "PaymentRequest | None":
        """The one with such a token, capitals or not: keyboards and mail programs change them. 119 bits are left."""
        return self.annotate(upper=Upper("token")).filter(upper__in=[token.upper() for token in tokens]).first()


class PaymentRequest(Row):
    """Who opens `token` may pay for the order. At most one is open per order.

    `amount_paid` is what was captured and applied, `amount_held` what live payments reserve; together they never exceed
    `amount`. A request that ends unpaid keeps nothing: every part was returned in the transaction that ended it. `seq`
    counts its changes, under its lock.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        PAID = "paid", _("paid")
        EXPIRED = "expired", _("expired")
        CANCELLED = "cancelled", _("cancelled")

    class Hint(models.TextChoices):
        LARGE = "large", _("far more than this buyer usually asks for")
        NEW_SHOP = "new_shop", _("the shop is new")
        FIRST = "first", _("the buyer's first request at this shop")

    public_id = models.CharField(max_length=40, unique=True, default=partial(ids.public_id, "pr"), editable=False)
    token = models.CharField(max_length=40, unique=True, default=ids.token, editable=False)  # the friend's link
    code = models.CharField(_("share code"), max_length=12, db_index=True)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="payment_requests", verbose_name=_("shop"), db_index=False
    )
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payment_requests")
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.OPEN)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    amount_paid = models.BigIntegerField(default=0)
    amount_held = models.BigIntegerField(default=0)
    metadata = models.JSONField(default=dict, blank=True)  # the shop's own
    message = models.CharField(_("message"), max_length=200, blank=True)
    split_max_payers = models.PositiveSmallIntegerField(null=True, blank=True)  # null: one friend pays it all
    split_min_amount = models.BigIntegerField(null=True, blank=True)
    shares = models.JSONField(default=list, blank=True)  # who is to pay how much, where the buyer named that
    network = models.CharField(max_length=64, blank=True)  # a hash of where a buyer asked by hand, for limits
    hint = models.CharField(max_length=20, blank=True, choices=Hint)  # what was unusual when it was asked for
    seq = models.BigIntegerField(_("number of changes"), default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    shared_at = models.DateTimeField(null=True, blank=True)  # when the buyer asked a friend
    opened_at = models.DateTimeField(null=True, blank=True)  # when a person first looked at the friend's page
    choosing_at = models.DateTimeField(null=True, blank=True)  # when one first did something there
    paid_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)  # expired or cancelled
    is_replaced = models.BooleanField(default=False, db_default=False)  # cancelled, since support gave out another link

    objects = PaymentRequestQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("payment request")
        verbose_name_plural = _("payment requests")
        permissions = [("cancel_paymentrequest", "Can cancel a payment request")]
        constraints = [
            models.UniqueConstraint(fields=["order"], condition=Q(status="open"), name="one_open_request_per_order"),
            models.UniqueConstraint(fields=["code"], condition=Q(status="open"), name="open_share_code_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="request_amount_positive"),
            models.CheckConstraint(
                condition=Q(amount_paid__gte=0, amount_held__gte=0), name="request_sums_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(amount_held__lte=F("amount") - F("amount_paid")), name="request_never_overcommitted"
            ),
            models.CheckConstraint(
                condition=Q(status="paid", amount_paid=F("amount"), paid_at__isnull=False)
                | (~Q(status="paid") & Q(amount_paid__lt=F("amount"), paid_at__isnull=True)),
                name="request_paid_exactly_when_settled",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "paid"], closed_at__isnull=True)
                | Q(status__in=["expired", "cancelled"], closed_at__isnull=False, amount_paid=0, amount_held=0),
                name="request_ended_keeps_nothing",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="request_expires_later"),
            models.CheckConstraint(
                condition=Q(split_max_payers__isnull=True, split_min_amount__isnull=True)
                | Q(split_max_payers__gte=2, split_min_amount__gte=1),
                name="request_split_makes_sense",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="request_due", condition=Q(status="open")),
            models.Index(fields=["merchant", "-id"], name="request_by_merchant"),
            models.Index(fields=["network", "-id"], name="request_by_network", condition=~Q(network="")),
            BrinIndex(fields=["created_at"], name="request_by_time", autosummarize=True),
            models.Index(Upper("token"), name="request_by_spelled_token"),
            models.Index(fields=["closed_at"], name="request_expired", condition=Q(status="expired")),
            GinIndex(
                fields=["metadata"], opclasses=["jsonb_path_ops"], name="request_by_metadata", condition=~Q(metadata={})
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @cached_property
    def writes(self) -> Writes:
        """What is to be written with it, by whoever holds its lock (`payments/settlement/locks.py`)."""
        return Writes()

    @cached_property
    def told(self) -> list[tuple[Event, models.Model | None]]:
        """The events among them, each with the payment or refund it is about."""
        return []

    @property
    def total(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def named(self) -> tuple[Share, ...]:
        """Its shares, in the buyer's order; none where it is not split among names."""
        return tuple(Share(**share) for share in self.shares)

    def share_numbered(self, number: str) -> int | None:
        """Which of its shares has this number, as people count and may have typed it; None for what names none."""
        place = int(number[:4]) if number.isdecimal() else 0
        return place - 1 if 1 <= place <= len(self.shares) else None

    @property
    def remaining(self) -> int:
        """What is neither paid nor on its way."""
        return self.amount - self.amount_paid - self.amount_held

    def status_at(self, now: datetime) -> str:
        """The status to show: past its time a request is never shown as open, even before the sweep came.

        While somebody's money is on its way it stays open, since that money is counted first.
        """
        if self.status == self.Status.OPEN and self.expires_at <= now and self.amount_held == 0:
            return self.Status.EXPIRED
        return self.status
